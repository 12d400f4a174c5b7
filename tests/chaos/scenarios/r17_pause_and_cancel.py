"""Pause at 10 random points, then cancel: the answer takes 300 ms at most, no request starts later than 1 s after."""

from __future__ import annotations

import time
from statistics import median
from typing import Any

from django.test import Client

from messaging.clock import db_now
from messaging.models import Campaign, ProviderRequest
from tests.chaos.rig import Rig
from tests.factories import make_user

PEOPLE, PAUSES, WORKERS = 8_000, 10, 2
GRACE_S, WATCH_S, ANSWER_MS = 1.0, 2.0, 300


def run(rig: Rig) -> dict[str, Any]:
    campaign = rig.campaign(rig.size(PEOPLE, least=800))
    acts = Acts(campaign)
    workers = rig.workers(WORKERS)
    people = rig.samples.people(campaign)
    pauses = rig.size(PAUSES, least=3)
    for at in sorted(rig.chance.sample(range(people // 20, people * 8 // 10), pauses)):
        rig.until(lambda at=at: rig.sandbox.accepted() >= at, seconds=300, what=f"{at} sent")
        acts.stop("pause", rig)
        acts.post("resume")
    rig.until(lambda: rig.sandbox.accepted() >= people * 0.85, seconds=300, what="most sent")
    acts.stop("cancel", rig)
    rig.finish(campaign, seconds=120)
    workers.stop()
    typical = round(median(acts.answers_ms))
    rig.expect(typical <= ANSWER_MS, f"an answer takes {typical} ms")
    figures = {"pauses": pauses, "answer_ms": typical, "slowest_ms": max(acts.answers_ms), "latest_ms": acts.latest_ms}
    return figures | rig.verdict(campaign, unknown_at_most=0).figures


class Acts:
    """A person at the campaign's page."""

    def __init__(self, campaign: Campaign) -> None:
        self._page = f"/campaigns/{campaign.public_id}/"
        self._http = Client(SERVER_NAME="localhost")
        self._http.force_login(make_user("boss", role="approver"))
        self._http.get(self._page)  # whoever presses a button has seen the page
        self.answers_ms: list[int] = []
        self.latest_ms = 0  # after the answer: the last start of a request

    def post(self, act: str) -> None:
        began = time.monotonic()
        answer = self._http.post(f"{self._page}{act}/")
        self.answers_ms.append(round((time.monotonic() - began) * 1000))
        assert answer.status_code < 400, f"{act}: {answer.status_code}"

    def stop(self, act: str, rig: Rig) -> None:
        """Do it, and watch what still starts."""
        self.post(act)
        at = db_now()
        time.sleep(WATCH_S)
        late = [
            (request.started_at - at).total_seconds() for request in ProviderRequest.objects.filter(started_at__gt=at)
        ]
        self.latest_ms = max(self.latest_ms, *(round(seconds * 1000) for seconds in late), 0)
        rig.expect(
            all(seconds <= GRACE_S for seconds in late), f"{act}: requests started {max(late, default=0)} s later"
        )

"""1,000,000 people: it completes, no product process reaches 300 MB, a single message's p99 is below 5 s meanwhile."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from math import inf
from typing import Any

from messaging import approval, campaigns, nudges
from messaging.clock import db_now
from messaging.models import Campaign, Message
from tests.chaos import crowds, sums
from tests.chaos.clients import Client
from tests.chaos.pulse import Pulse
from tests.chaos.reader import Reader, percentile
from tests.chaos.rig import PLAIN, Rig
from tests.chaos.vitals import Vitals
from tests.factories import make_approved_version, make_user

PEOPLE, LIMIT_MB, P99_S = 1_000_000, 300, 5.0
SINGLE_EVERY_S, PAGE_EVERY_S, MEMORY_EVERY_S, TOLD_EVERY_S, SUMS_EVERY_S = 0.5, 2.0, 2.0, 10.0, 30.0
PAGES = ("/", "/campaigns/")
LONGEST_S = 2 * 3600


def run(rig: Rig) -> dict[str, Any]:
    """The plan, the start, the sending, the DNs and the singles are all worked off by the product's own processes."""
    sums.EVERY_S = SUMS_EVERY_S  # a look takes a second or two at this size
    people = rig.size(PEOPLE)
    rig.web()
    rig.backstage()
    rig.celery("send", processes=3)
    client, reader, vitals = Client(rig), Reader(rig, PAGES), Vitals(rig.children)
    watch = _Watch(rig, vitals, people)
    campaign = _approved(rig, people, watch)
    began = time.monotonic()
    campaigns.launch_campaign(campaign=campaign, user=make_user(), now=db_now())
    nudges.tick()
    rig.samples.watch(campaign)
    watch.pulse.every(SINGLE_EVERY_S, client.send)
    watch.pulse.every(PAGE_EVERY_S, reader.look)
    watch.until(lambda: rig.sandbox.accepted() - len(client.asked) >= people, what="everybody's message")
    took, asked = time.monotonic() - began, list(client.asked)
    rig.finish(campaign, seconds=300)
    rig.until(lambda: _singles_settled(len(asked)), seconds=120, what="the singles' end")
    finished = Campaign.objects.filter(pk=campaign.pk, state=Campaign.State.FINISHED)
    rig.until(finished.exists, seconds=120, what="the campaign is finished")
    ledger = rig.sandbox.ledger()
    waits = _waits(rig, asked, ledger)
    p99 = percentile(waits, 0.99)
    rig.expect(p99 < P99_S, f"singles: p99 {p99:.1f} s")
    for name, mb in vitals.peak_mb.items():
        rig.expect(mb < LIMIT_MB, f"{name}: {mb:.0f} MB")
    verdict = rig.verdict(campaign, only=lambda line: line["text"] == PLAIN, unknown_at_most=0)
    return {
        "planned_s": round(watch.planned_s), "sent_s": round(took), "per_s": round(people / took),
        "singles": len(waits), "single_p50_s": round(percentile(waits, 0.5), 2), "single_p99_s": round(p99, 2),
        "single_slowest_s": round(max(waits), 2), "page_p95_ms": round(percentile(reader.ms, 0.95)),
        "page_errors": reader.errors, "peak_mb": {name: round(mb) for name, mb in vitals.peak_mb.items()},
        **verdict.figures,
    }  # fmt: skip


def _approved(rig: Rig, people: int, watch: _Watch) -> Campaign:
    """To everybody, planned by the house worker, approved by a second person."""
    rig.sandbox.tell("templates", texts=[PLAIN])
    writer = make_user()
    campaign = campaigns.create_campaign(
        user=writer, now=db_now(), name="Everybody", connection=rig.connection,
        template_version=make_approved_version(PLAIN),
    )  # fmt: skip
    campaign = campaigns.edit_campaign(
        campaign=campaign, user=writer, version=0, now=db_now(), include=[crowds.everybody(people)]
    )
    began = time.monotonic()
    campaigns.submit_campaign(campaign=campaign, user=writer, now=db_now())
    nudges.tick()
    planned = Campaign.objects.filter(pk=campaign.pk).exclude(plan_sealed_at=None)
    watch.until(planned.exists, what="the plan")
    watch.planned_s = time.monotonic() - began
    campaign.refresh_from_db()
    return approval.approve_campaign(campaign=campaign, user=make_user(), plan_hash=campaign.plan_hash, now=db_now())


class _Watch:
    """What goes on all the while, told on standard error."""

    def __init__(self, rig: Rig, vitals: Vitals, people: int) -> None:
        self._rig, self._vitals, self._people, self._began = rig, vitals, people, time.monotonic()
        self.pulse = Pulse(rig)
        self.pulse.every(MEMORY_EVERY_S, vitals.sample)
        self.pulse.every(TOLD_EVERY_S, self.tell)
        self.planned_s = 0.0

    def until(self, holds: Callable[[], object], *, what: str) -> None:
        self._rig.until(lambda: self.pulse.look() or holds(), seconds=LONGEST_S * max(self._rig.scale, 0.1), what=what)

    def tell(self) -> None:
        memory = ", ".join(f"{name} {mb:.0f}" for name, mb in self._vitals.peak_mb.items())
        accepted, seconds = self._rig.sandbox.accepted(), time.monotonic() - self._began
        print(
            f"{seconds:>6.0f} s  {accepted:>9,} of {self._people:,}  MB at most: {memory}", file=sys.stderr, flush=True
        )


def _singles_settled(count: int) -> bool:
    return Message.objects.filter(campaign=None, direction="mt", send_state="accepted").count() >= count


def _waits(rig: Rig, asked: list[Any], ledger: list[dict[str, Any]]) -> list[float]:
    """Seconds of each from the first byte of its REST request to the provider; none lost, none twice."""
    came = {line["msisdn"]: datetime.fromisoformat(line["at"]).timestamp() for line in ledger if line["text"] != PLAIN}
    copies = Counter(line["msisdn"] for line in ledger if line["text"] != PLAIN)
    rig.expect(max(copies.values(), default=0) <= 1, "a single message came twice")
    waits = [came.get(single.msisdn, inf) - single.asked_at for single in asked]
    rig.expect(inf not in waits, f"{waits.count(inf)} singles never came")
    rig.expect(len(waits) >= 100 * min(1.0, rig.scale * 10), f"only {len(waits)} singles: no p99 of them")
    return waits or [inf]

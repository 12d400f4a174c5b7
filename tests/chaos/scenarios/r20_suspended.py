"""The account is suspended (412), then its content banned (407): no request 2 s after the first such answer."""

from __future__ import annotations

import time
from typing import Any

from messaging.clock import db_now
from messaging.connections import resume_connection
from messaging.models import Connection
from tests.chaos.rig import Rig
from tests.factories import make_user

PEOPLE, WORKERS = 4_000, 3
GRACE_S, WATCH_S = 2.0, 5.0


def run(rig: Rig) -> dict[str, Any]:
    campaign = rig.campaign(rig.size(PEOPLE, least=300))
    workers = rig.workers(WORKERS)
    people = rig.samples.people(campaign)
    later = {}
    for nth, (code, suspend, lift) in enumerate(_ways(rig)):
        rig.until(lambda nth=nth: rig.sandbox.accepted() >= people * (nth + 1) // 4, seconds=300, what="some progress")
        suspend()
        later[code] = _requests_later(rig)
        rig.expect(later[code] == 0, f"{later[code]} requests later than {GRACE_S:.0f} s after a {code}")
        lift()
        resume_connection(connection=rig.connection, user=make_user(), now=db_now())
    rig.finish(campaign, seconds=600)
    workers.stop()
    return {"requests_later": later, **rig.verdict(campaign, unknown_at_most=0).figures}


def _ways(rig: Rig) -> list[tuple[str, Any, Any]]:
    account, faults = rig.sandbox.account, rig.sandbox.faults
    return [
        ("412", lambda: account(state="suspended"), lambda: account(state="ok")),
        ("407", lambda: faults({"fault": "code407", "share": 1}), faults),
    ]


def _requests_later(rig: Rig) -> int:
    """Send calls from 2 s after the stop until 5 s later; nobody resumes meanwhile."""
    stopped = Connection.objects.filter(pk=rig.connection.pk, state=Connection.State.SUSPENDED)
    rig.until(stopped.exists, seconds=60, what="the stop")
    time.sleep(GRACE_S)
    calls = rig.sandbox.calls()
    time.sleep(WATCH_S)
    return rig.sandbox.calls() - calls

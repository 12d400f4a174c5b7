"""The checker itself: three senders known to be wrong are caught, with > 100, > 100 and > 10 findings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.chaos.bad_senders import SENDERS, Desk
from tests.chaos.checker import examine
from tests.chaos.fleet import Fleet
from tests.chaos.nemesis import Nemesis
from tests.chaos.rig import PLAIN, Rig

PEOPLE, KILLS, CRASHES, WORKERS = 3_000, 20, 10, 4
FAULTS = ({"fault": "drop_after", "share": 0.12}, {"fault": "http503", "share": 0.08})
LEAST = {"retry on error": 100, "mark first": 100, "synchronous_commit=off": 10}
LAZY = {"wal_writer_delay": "10s", "wal_writer_flush_after": "1GB", "bgwriter_delay": "10s"}


def run(rig: Rig) -> dict[str, Any]:
    return {name: _wrong(rig, name, send) for name, send in SENDERS.items()}


def _wrong(rig: Rig, name: str, send: Callable[[Desk], None]) -> dict[str, int]:
    """Let it work through the faults that it cannot stand; how many recipients the checker finds wronged."""
    rig.sandbox.tell("reset")
    lazy = "synchronous_commit" in name
    rig.database.restart(**LAZY if lazy else {})
    campaign = rig.campaign(rig.size(PEOPLE, least=1_000), text=PLAIN)
    if not lazy:
        rig.sandbox.faults(*({**fault, "seed": rig.seed} for fault in FAULTS))
    desk = Desk(rig.sandbox.url, PLAIN)
    workers = Fleet(WORKERS, lambda: rig.fork("bad sender", lambda: send(desk)))
    nemesis = Nemesis(rig.chance, rig.samples.people(campaign))
    if lazy:
        nemesis.plan("crash", CRASHES, lambda: rig.database.restart(**LAZY))
    else:
        nemesis.plan("kill", rig.size(KILLS, least=5), lambda: workers.kill_one(rig.chance))
    rig.finish(campaign, nemesis=nemesis, seconds=300)
    for worker in workers.members:
        worker.kill()
    verdict = examine([campaign], rig.sandbox.ledger(), rig.samples)
    rig.samples.forget(campaign)
    least = round(LEAST[name] * max(rig.scale, 1_000 / PEOPLE))
    rig.expect(verdict.wrong > least, f"{name}: only {verdict.wrong} found, more than {least} expected")
    return {"doubled": verdict.doubled, "lost": verdict.lost, "lied": verdict.lied}

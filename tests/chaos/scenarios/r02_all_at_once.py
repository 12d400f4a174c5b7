"""R1 with 2 % provider faults, 10 crashes of PostgreSQL and 10 FLUSHALL together: nobody lost, nobody doubled."""

from __future__ import annotations

from typing import Any

from tests.chaos.dns import settle_unknowns
from tests.chaos.fleet import Fleet
from tests.chaos.nemesis import Nemesis
from tests.chaos.rig import Rig

PEOPLE, KILLS, CRASHES, FLUSHES = 20_000, 50, 10, 10
FAULTS = ("drop_after", "reset_before", "http500", "http503", "code500", "nonjson_after", "stall_after", "slow")
SHARE = 0.02  # of all requests


def run(rig: Rig) -> dict[str, Any]:
    campaign = rig.campaign(rig.size(PEOPLE))
    rig.sandbox.faults(*({"fault": name, "share": SHARE / len(FAULTS), "seed": rig.seed} for name in FAULTS))
    rig.backstage()
    forked, celery = rig.workers(3), Fleet(1, rig.celery)
    nemesis = Nemesis(rig.chance, rig.samples.people(campaign))
    nemesis.plan("kill", rig.size(KILLS * 9 // 10, least=3), lambda: forked.kill_one(rig.chance))
    nemesis.plan("kill of Celery's", rig.size(KILLS // 10), lambda: celery.kill_one(rig.chance))
    nemesis.plan("crash of PostgreSQL", rig.size(CRASHES), rig.database.restart)
    nemesis.plan("FLUSHALL", rig.size(FLUSHES), rig.broker.flush)
    rig.finish(campaign, nemesis=nemesis, seconds=1800)
    forked.stop()
    celery.stop()
    before = rig.verdict(campaign)
    settle_unknowns(rig)
    after = rig.verdict(campaign)
    rig.expect(after.unknown_sent == 0, f"{after.unknown_sent} unknown whose DN came")
    return {**nemesis.done_acts, "unknown_before_dns": before.unknown, **after.figures}

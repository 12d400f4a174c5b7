"""PostgreSQL restarts with -m immediate 10 times in a campaign of 5,000: 0 lost, 0 doubled, 0 unknown."""

from __future__ import annotations

from typing import Any

from tests.chaos.nemesis import Nemesis
from tests.chaos.rig import Rig

PEOPLE, CRASHES, WORKERS = 5_000, 10, 3


def run(rig: Rig) -> dict[str, Any]:
    campaign = rig.campaign(rig.size(PEOPLE))
    workers = rig.workers(WORKERS)
    nemesis = Nemesis(rig.chance, rig.samples.people(campaign))
    nemesis.plan("crash", rig.size(CRASHES, least=3), rig.database.restart)
    rig.finish(campaign, nemesis=nemesis, seconds=900)
    rig.expect(all(worker.alive for worker in workers.members), "a worker ended because its database went away")
    workers.stop()
    return {**nemesis.done_acts, **rig.verdict(campaign, unknown_at_most=0).figures}

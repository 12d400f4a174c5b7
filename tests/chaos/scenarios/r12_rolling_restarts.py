"""All workers are restarted by SIGTERM 10 times in a campaign of 5,000: 0 unknown, 0 lost, 0 doubled."""

from __future__ import annotations

from typing import Any

from tests.chaos.fleet import Fleet
from tests.chaos.nemesis import Nemesis
from tests.chaos.rig import Rig

PEOPLE, RESTARTS, WORKERS = 5_000, 10, 2


def run(rig: Rig) -> dict[str, Any]:
    campaign = rig.campaign(rig.size(PEOPLE))
    rig.backstage()
    forked, celery = rig.workers(WORKERS), Fleet(1, rig.celery)

    def deploy() -> None:
        forked.restart_all()
        celery.restart_all()

    nemesis = Nemesis(rig.chance, rig.samples.people(campaign))
    nemesis.plan("restart", rig.size(RESTARTS, least=2), deploy)
    rig.finish(campaign, nemesis=nemesis, seconds=900)
    forked.stop()
    celery.stop()
    return {**nemesis.done_acts, **rig.verdict(campaign, unknown_at_most=0).figures}

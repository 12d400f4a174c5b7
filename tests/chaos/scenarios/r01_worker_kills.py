"""kill -9 a random worker 50 times in a campaign of 20,000: nobody lost, nobody doubled, doubt bounded and settled."""

from __future__ import annotations

from typing import Any

from tests.chaos.dns import settle_unknowns
from tests.chaos.nemesis import Nemesis
from tests.chaos.rig import Rig

PEOPLE, KILLS, WORKERS = 20_000, 50, 4


def run(rig: Rig) -> dict[str, Any]:
    campaign = rig.campaign(rig.size(PEOPLE))
    workers = rig.workers(WORKERS)
    nemesis = Nemesis(rig.chance, rig.samples.people(campaign))
    nemesis.plan("kill", rig.size(KILLS, least=3), lambda: workers.kill_one(rig.chance))
    rig.finish(campaign, nemesis=nemesis, seconds=1200)
    workers.stop()
    before = rig.verdict(campaign, unknown_at_most=workers.deaths * rig.connection.max_in_flight)
    settle_unknowns(rig)
    after = rig.verdict(campaign)
    rig.expect(after.unknown_sent == 0, f"{after.unknown_sent} unknown whose DN came")
    return {"kills": workers.deaths, "unknown_before_dns": before.unknown, **after.figures}

"""Fail each SQL statement, COMMIT, answer and socket operation of the send path, and die at each crash point."""

from __future__ import annotations

from typing import Any

from messaging.models import Connection
from messaging.sending.crash_points import NAMES
from tests.chaos.lives import Lives
from tests.chaos.nemesis import Nemesis
from tests.chaos.rig import Rig
from tests.chaos.shaky import KINDS

PEOPLE, PASSAGES, AT_MOST = 16, 3, 500
IN_FLIGHT = 4  # so that few people are several waves
ON_THE_WIRE, CUTS, NEXT = 1_000, 50, 8  # people, COMMITs whose answer is cut, which of the next ones


def run(rig: Rig) -> dict[str, Any]:
    Connection.objects.filter(pk=rig.connection.pk).update(max_in_flight=IN_FLIGHT)
    lives, step = Lives(rig, people=PEOPLE), max(1, round(1 / rig.scale))
    figures: dict[str, Any] = {kind: lives.until_untouched(kind, step=step, at_most=AT_MOST) for kind in KINDS}
    passages = range(1, rig.size(PASSAGES) + 1)
    figures["crashes"] = {name: sum(lives.crash(name, passage) for passage in passages) for name in NAMES}
    return figures | {"lives": lives.lived, "COMMITs cut on the wire": _cut_on_the_wire(rig)}


def _cut_on_the_wire(rig: Rig) -> int:
    """The same between whole processes and PostgreSQL: COMMITs that arrive and are not answered; how many."""
    rig.sandbox.tell("reset")
    campaign = rig.campaign(rig.size(ON_THE_WIRE, least=100))
    wire = rig.wire_to_database()
    workers = rig.workers(2, database=wire)
    nemesis = Nemesis(rig.chance, rig.samples.people(campaign))
    nemesis.plan("cut", rig.size(CUTS, least=3), lambda: wire.rule(cut_commit=rig.chance.randint(1, NEXT)))
    rig.finish(campaign, nemesis=nemesis, seconds=300)
    workers.stop()
    rig.verdict(campaign, unknown_at_most=0)
    cuts = wire.rule()["cuts"]
    rig.expect(cuts, "no COMMIT was cut")
    return cuts

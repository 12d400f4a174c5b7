"""Fail each SQL statement, COMMIT, answer and socket operation of the send path, and die at each crash point."""

from __future__ import annotations

from typing import Any

from messaging.models import Connection
from messaging.sending.crash_points import NAMES
from tests.chaos.lives import Lives
from tests.chaos.rig import Rig
from tests.chaos.shaky import KINDS

PEOPLE, PASSAGES, AT_MOST = 16, 3, 500
IN_FLIGHT = 4  # so that few people are several waves


def run(rig: Rig) -> dict[str, Any]:
    Connection.objects.filter(pk=rig.connection.pk).update(max_in_flight=IN_FLIGHT)
    lives, step = Lives(rig, people=PEOPLE), max(1, round(1 / rig.scale))
    figures: dict[str, Any] = {kind: lives.until_untouched(kind, step=step, at_most=AT_MOST) for kind in KINDS}
    passages = range(1, rig.size(PASSAGES) + 1)
    figures["crashes"] = {name: sum(lives.crash(name, passage) for passage in passages) for name in NAMES}
    return figures | {"lives": lives.lived}

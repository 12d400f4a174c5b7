"""The account's key and secret are replaced 10 times, the old ones ending within 2 s: nobody notices."""

from __future__ import annotations

import time
from typing import Any

from messaging.clock import db_now
from messaging.connections import update_connection
from messaging.models import Incident
from tests.chaos.nemesis import Nemesis
from tests.chaos.rig import Rig

PEOPLE, ROTATIONS, WORKERS = 5_000, 10, 3
OVERLAP_S = 2.0


def run(rig: Rig) -> dict[str, Any]:
    campaign = rig.campaign(rig.size(PEOPLE, least=300))
    workers = rig.workers(WORKERS)
    keys = Keys(rig)
    nemesis = Nemesis(rig.chance, rig.samples.people(campaign))
    nemesis.plan("rotation", rig.size(ROTATIONS, least=3), keys.rotate)
    rig.finish(campaign, nemesis=nemesis, seconds=600)
    workers.stop()
    alarms = Incident.objects.count()
    rig.expect(alarms == 0, f"{alarms} incidents")
    return {**nemesis.done_acts, "alarms": alarms, **rig.verdict(campaign, unknown_at_most=0).figures}


class Keys:
    """New ones are made at the provider and stored here; then the old ones end."""

    def __init__(self, rig: Rig) -> None:
        self._rig, self._number = rig, 0
        self._current = rig.connection.app_key

    def rotate(self) -> None:
        rig, old = self._rig, self._current
        self._number += 1
        self._current, secret = f"key-{self._number}", f"secret-{self._number}"
        rig.sandbox.tell("accounts", user=self._current, **{"pass": secret})
        update_connection(connection=rig.connection, user=None, now=db_now(), app_key=self._current, app_secret=secret)
        time.sleep(rig.chance.uniform(0, OVERLAP_S))
        rig.sandbox.tell("accounts", user=old, **{"pass": "gone"})

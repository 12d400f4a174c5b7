"""Workers are frozen (SIGSTOP) for twice their lease, 20 times, and one for ever: nobody doubled, nobody lost."""

from __future__ import annotations

import math
import time
from typing import Any

from django.conf import settings

from messaging.sending.intent import LEASE_AFTER_DEADLINE
from tests.chaos.children import Child
from tests.chaos.dns import settle_unknowns
from tests.chaos.nemesis import Nemesis
from tests.chaos.rig import Rig

PEOPLE, FREEZES, WORKERS = 10_000, 20, 5
HASTY = {"PROVIDER_DEADLINE_S": 3.0, "FIRST_BYTE_S": 2.0, "CLAIM_LEASE_S": 3.0}
HASTY |= {"IDLE_IN_TRANSACTION_S": 5.0, "IDLE_SESSION_S": 15.0}
LATENCY_S = 0.02  # so that most moments have requests in flight


def run(rig: Rig) -> dict[str, Any]:
    for name, value in HASTY.items():
        setattr(settings, name, value)
    campaign = rig.campaign(rig.size(PEOPLE))
    rig.wire_to_sandbox().rule(latency_s=LATENCY_S)
    workers = rig.workers(WORKERS)
    cold = Freezer(rig, workers.members)
    cold.plan("freeze", rig.size(FREEZES, least=3), cold.freeze_one)
    cold.plan("freeze for ever", 1, cold.freeze_for_ever)
    rig.finish(campaign, nemesis=cold, seconds=900)
    cold.thaw_all()
    workers.stop()
    others = rig.workers(1)  # for what a thawed one found that it had never sent
    rig.finish(campaign, seconds=60)
    others.stop()
    before = rig.verdict(campaign)
    settle_unknowns(rig)
    after = rig.verdict(campaign)
    rig.expect(after.unknown_sent == 0, f"{after.unknown_sent} unknown whose DN came")
    return {**cold.done_acts, "unknown_before_dns": before.unknown, **after.figures}


class Freezer(Nemesis):
    """Freezes workers and thaws each after twice the lease of what it was sending; one stays so until the end."""

    def __init__(self, rig: Rig, workers: list[Child]) -> None:
        super().__init__(rig.chance, rig.size(PEOPLE))
        self._rig, self._workers = rig, workers
        lease = settings.FIRST_BYTE_S + settings.PROVIDER_DEADLINE_S + LEASE_AFTER_DEADLINE.total_seconds()
        self._for_s = 2 * lease
        self._frozen: dict[Child, float] = {}

    def look(self, progress: int) -> None:
        """One worker at least goes on working, or the campaign would stand still."""
        for child, due in list(self._frozen.items()):
            if time.monotonic() >= due:
                child.thaw()
                del self._frozen[child]
        if len(self._frozen) < len(self._workers) - 1:
            super().look(progress)

    def freeze_one(self) -> None:
        self._freeze(self._for_s)

    def freeze_for_ever(self) -> None:
        self._freeze(math.inf)

    def thaw_all(self) -> None:
        for child in self._frozen:
            child.thaw()

    def _freeze(self, for_s: float) -> None:
        child = self._rig.chance.choice([worker for worker in self._workers if worker not in self._frozen])
        child.freeze()
        self._frozen[child] = time.monotonic() + for_s

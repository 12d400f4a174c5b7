"""A worker is frozen (SIGSTOP) for twice its lease and goes on, 20 times: nobody doubled, nobody lost."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings

from messaging.sending.gate import LEASE_AFTER_DEADLINE
from tests.chaos.children import Child
from tests.chaos.dns import settle_unknowns
from tests.chaos.nemesis import Nemesis
from tests.chaos.rig import Rig

PEOPLE, FREEZES, WORKERS = 10_000, 20, 5
HASTY = {"PROVIDER_DEADLINE_S": 3.0, "FIRST_BYTE_S": 2.0, "CLAIM_LEASE_S": 3.0}
LATENCY_S = 0.02  # so that most moments have requests in flight


def run(rig: Rig) -> dict[str, Any]:
    for name, value in HASTY.items():
        setattr(settings, name, value)
    campaign = rig.campaign(rig.size(PEOPLE))
    rig.wire_to_sandbox().rule(latency_s=LATENCY_S)
    workers = rig.workers(WORKERS)
    cold = Freezer(rig, workers.members)
    nemesis = Nemesis(rig.chance, rig.samples.people(campaign))
    nemesis.plan("freeze", rig.size(FREEZES, least=3), cold.freeze_one)
    rig.finish(campaign, nemesis=nemesis, seconds=900)
    rig.until(cold.all_thawed, seconds=60, what="the last thaw")
    workers.stop()
    settle_unknowns(rig)
    verdict = rig.verdict(campaign)
    rig.expect(verdict.unknown_sent == 0, f"{verdict.unknown_sent} unknown whose DN came")
    return {**nemesis.done_acts, **verdict.figures}


class Freezer:
    """Freezes one worker at a time and thaws it after twice the lease of what it was sending."""

    def __init__(self, rig: Rig, workers: list[Child]) -> None:
        self._rig, self._workers = rig, workers
        lease = settings.FIRST_BYTE_S + settings.PROVIDER_DEADLINE_S + LEASE_AFTER_DEADLINE.total_seconds()
        self._for_s = 2 * lease
        self._frozen: dict[Child, float] = {}

    def freeze_one(self) -> None:
        """Waits until one of them runs."""
        self._rig.until(self._somebody_runs, seconds=60, what="a worker to freeze")
        child = self._rig.chance.choice([worker for worker in self._workers if worker not in self._frozen])
        child.freeze()
        self._frozen[child] = time.monotonic() + self._for_s

    def all_thawed(self) -> bool:
        self._thaw_due()
        return not self._frozen

    def _somebody_runs(self) -> bool:
        """One at least goes on working, or the campaign would stand still."""
        self._thaw_due()
        return len(self._frozen) < len(self._workers) - 1

    def _thaw_due(self) -> None:
        for child, due in list(self._frozen.items()):
            if time.monotonic() >= due:
                child.thaw()
                del self._frozen[child]

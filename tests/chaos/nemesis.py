"""What goes wrong and when: acts at seeded points of progress, so that short and long runs hit the same places."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from itertools import count
from random import Random

BETWEEN = (0.02, 0.9)  # of the whole


class Nemesis:
    """`progress` grows to the whole, or as near as it gets before the end; one look performs at most one act."""

    def __init__(self, chance: Random, whole: int) -> None:
        self._chance, self._whole = chance, whole
        self._plan: list[tuple[int, int, str, Callable[[], object]]] = []
        self._order = count()
        self.done_acts: Counter[str] = Counter()

    def plan(self, name: str, times: int, act: Callable[[], object]) -> None:
        """Let `act` happen `times` times."""
        low, high = (round(self._whole * share) for share in BETWEEN)
        for _ in range(times):
            heapq.heappush(self._plan, (self._chance.randint(low, high), next(self._order), name, act))

    @property
    def done(self) -> bool:
        return not self._plan

    def look(self, progress: int) -> None:
        if self._plan and progress >= self._plan[0][0]:
            *_, name, act = heapq.heappop(self._plan)
            self.done_acts[name] += 1
            act()

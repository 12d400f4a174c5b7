"""What happens by the clock: acts every so often, and how long nothing was accepted meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.chaos.rig import Rig


@dataclass
class Pulse:
    """Looked at in every turn of `rig.until`."""

    rig: Rig
    accepted: int = 0
    moved_at: float = 0.0
    longest_pause_s: float = 0.0
    _acts: list[list] = field(default_factory=list)  # [seconds, act, due]

    def every(self, seconds: float, act: Callable[[], object]) -> None:
        self._acts.append([seconds, act, time.monotonic() + seconds])

    def look(self) -> None:
        """From the first acceptance on, the time between two of them."""
        now, accepted = time.monotonic(), self.rig.sandbox.accepted()
        if self.accepted:
            self.longest_pause_s = max(self.longest_pause_s, now - self.moved_at)
        if accepted > self.accepted:
            self.accepted, self.moved_at = accepted, now
        for entry in self._acts:
            if now >= entry[2]:
                entry[1]()
                entry[2] = time.monotonic() + entry[0]

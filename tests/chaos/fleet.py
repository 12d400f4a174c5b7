"""Workers of one kind; one that is killed or told to stop is replaced."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.chaos.children import Child


class Fleet:
    def __init__(self, count: int, start: Callable[[], Child]) -> None:
        self._start = start
        self.members = [start() for _ in range(count)]
        self.deaths = 0

    def pick(self, chance: Random) -> int:
        return chance.randrange(len(self.members))

    def kill_one(self, chance: Random) -> None:
        """kill -9, and another in its place."""
        place = self.pick(chance)
        self.members[place].kill()
        self.members[place] = self._start()
        self.deaths += 1

    def restart_all(self, *, seconds: float = 60) -> None:
        """A deployment: all are told to stop and seen out, then new ones come."""
        for member in self.members:
            member.terminate()
        for member in self.members:
            member.wait(seconds)
        self.members = [self._start() for _ in self.members]

    def stop(self, *, seconds: float = 60) -> None:
        """In good order; nobody comes after them."""
        for member in self.members:
            member.terminate()
        for member in self.members:
            member.wait(seconds)

"""A queue of errands by due time, run by a bounded number of hands."""

import asyncio
import heapq
import logging
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import NamedTuple

WHOLE = 255  # an errand for every notice of a job, in order
_NTH, _ATTEMPT, _JOB = (8, 8, 40)  # bits; one int an errand keeps a backlog of a million small

log = logging.getLogger(__name__)


class Errand(NamedTuple):
    """Due at `due_ms` of the epoch: notice `nth` of a job, for the `attempt`th time from 0."""

    due_ms: int
    job: int
    nth: int
    attempt: int


def packed(errand: Errand) -> int:
    """Sorts by due time, then job."""
    return ((errand.due_ms << _JOB | errand.job) << _NTH | errand.nth) << _ATTEMPT | errand.attempt


def unpacked(number: int) -> Errand:
    number, attempt = divmod(number, 1 << _ATTEMPT)
    number, nth = divmod(number, 1 << _NTH)
    due_ms, job = divmod(number, 1 << _JOB)
    return Errand(due_ms, job, nth, attempt)


class Courier:
    def __init__(self, errand_runner: Callable[[Errand], Awaitable[None]], *, hands: int) -> None:
        self._run_errand = errand_runner
        self._hands = asyncio.Semaphore(hands)
        self._waiting: list[int] = []
        self._running: set[asyncio.Task[None]] = set()
        self._sooner = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._running)

    def owe(self, due: float, job: int, nth: int = WHOLE, attempt: int = 0) -> None:
        errand = packed(Errand(int(due * 1000), job, nth, attempt))
        heapq.heappush(self._waiting, errand)
        if self._waiting[0] == errand:
            self._sooner.set()

    def clear(self) -> None:
        self._waiting.clear()
        for task in self._running:
            task.cancel()

    async def run(self) -> None:
        while True:
            await self._hands.acquire()
            task = asyncio.create_task(self._guarded(await self._next_due()))
            self._running.add(task)
            task.add_done_callback(self._put_down)

    def _put_down(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._hands.release()

    async def _guarded(self, errand: Errand) -> None:
        try:
            await self._run_errand(errand)
        except Exception:
            log.exception("an errand failed: %s", errand)

    async def _next_due(self) -> Errand:
        while True:
            wait_s = unpacked(self._waiting[0]).due_ms / 1000 - time.time() if self._waiting else None
            if wait_s is not None and wait_s <= 0:
                return unpacked(heapq.heappop(self._waiting))
            self._sooner.clear()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._sooner.wait(), wait_s)

"""Waiting for other programs, never for ever, and ending those that we started."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LIMIT_S = 900.0
START_S = 60.0
END_S = 15.0
STEP_S = 0.05


def until(true: Callable[[], object], what: str, *, limit_s: float = START_S) -> None:
    """Raises RuntimeError if it takes longer."""
    latest = time.monotonic() + limit_s
    while not true():
        if time.monotonic() > latest:
            raise RuntimeError(f"waited {limit_s:.0f} s for {what}")
        time.sleep(STEP_S)


@contextmanager
def ended(process: subprocess.Popen) -> Iterator[subprocess.Popen]:
    """The process, gone afterwards."""
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(END_S)

"""What a signal handler may set and the main thread may wait for.

A threading.Event may not: its lock can be held by the very thread that the signal interrupts, which then waits for
itself for ever.
"""

import time

PAUSE_S = 0.05


class Told:
    """Set once, by a handler; looked at by anybody."""

    def __init__(self) -> None:
        self._set = False

    def set(self) -> None:
        self._set = True

    def is_set(self) -> bool:
        return self._set

    def wait(self, seconds: float) -> bool:
        """Whether it was set within so long."""
        until = time.monotonic() + seconds
        while not self._set and (left := until - time.monotonic()) > 0:
            time.sleep(min(PAUSE_S, left))
        return self._set

"""A timer in every worker process: where beat or the broker is silent, the work is done all the same.

It looks at the heartbeats every few seconds. Any number of timers does no harm; while beat is well they only look.
"""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass, field

import structlog
from django.db import Error, connections

from messaging import heart, sending, work
from messaging.models import Connection

LOOK_EVERY_S = 3.0
SILENT_S = 6.0  # three times what beat takes
BUDGET_S = 10.0
LEAVE_S = 50.0  # an answer that is waited for comes within 40 s

log = structlog.get_logger(__name__)


@dataclass
class Timer:
    """A thread of one worker process, for the queues that it serves."""

    queues: Collection[str]
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="timer")
        self._thread.start()

    def stop(self) -> None:
        """See out what it has in flight, and start nothing more."""
        self._stop.set()
        sending.stop_soon()
        if self._thread:
            self._thread.join(LEAVE_S)

    def look(self) -> list[str]:
        """Do what nobody has been at for a while; what that was."""
        names = heart.silent(self._names(), for_s=SILENT_S)
        for name in names:
            log.warning("timer.steps_in", work=name)
            self._do(name)
        return names

    def _names(self) -> list[str]:
        names = ["tick"] if "house" in self.queues else []
        names += ["digest"] if "digest" in self.queues else []
        if "send" in self.queues:
            due = Connection.objects.sending().with_due_messages().order_by("?")
            names += [heart.sending(pk) for pk in due.values_list("pk", flat=True)]
        return names

    def _do(self, name: str) -> None:
        if name == "tick":
            work.tick()
        elif name == "digest":
            work.digest()
        elif not self._stop.is_set():
            work.send_in_turn(int(name.removeprefix("send ")), budget_s=BUDGET_S)

    def _run(self) -> None:
        while not self._stop.wait(LOOK_EVERY_S):
            try:
                self.look()
            except Error as error:
                log.warning("timer.failed", error=type(error).__name__)
            except Exception:  # the next look may go well
                log.exception("timer.failed")
            connections.close_all()

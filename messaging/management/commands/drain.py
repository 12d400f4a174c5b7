import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error, close_old_connections

from config.told import Told
from messaging import sending, webhooks, work
from messaging.models import Connection

ROUND_S = 1.0
BUDGET_S = 30.0
DELIVER_S = 1.0  # of each round for webhooks
TOLD_BY = (signal.SIGTERM, signal.SIGINT)

log = structlog.get_logger()


class Command(BaseCommand):
    help = "Send what is due and digest what came in, without Redis or Celery."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--forever", action="store_true", help="go on until interrupted")

    def handle(self, *, forever: bool, **_options: Any) -> None:
        told = Told()
        with _listening(told):
            while not told.is_set() and (self._round_whatever_comes() if forever else self.round()):
                close_old_connections()
                told.wait(ROUND_S if forever else 0)
        if told.is_set():
            self.stdout.write("Stopped.")

    def round(self, *, forever: bool = False) -> int:
        """Every tick, then every connection and webhook once; how much was done. `forever` leaves hanging receivers."""
        done = sum(work.tick().values())
        done += work.digest()
        for connection_id in Connection.objects.sending().values_list("pk", flat=True):
            done += work.send(connection_id, budget_s=BUDGET_S)
        return done + webhooks.deliver(budget_s=DELIVER_S, to_the_end=not forever)

    def _round_whatever_comes(self) -> bool:
        """A database that is away ends the round, not the command."""
        try:
            self.round(forever=True)
        except Error as error:
            log.warning("drain.round_failed", error=type(error).__name__)
        return True


@contextmanager
def _listening(told: Told) -> Iterator[None]:
    """TERM and Ctrl-C mean: claim nothing more, see out what is in flight. A second one ends it at once."""
    before = {number: signal.getsignal(number) for number in TOLD_BY}

    def listen(number: int, _frame: object) -> None:
        signal.signal(number, before[signal.Signals(number)])
        told.set()
        sending.stop_soon()

    for number in TOLD_BY:
        signal.signal(number, listen)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

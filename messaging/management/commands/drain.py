import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections

from messaging import ingest, sending, ticks
from messaging.models import Connection

ROUND_S = 1.0


class Command(BaseCommand):
    help = "Send what is due and digest what came in, without Redis or Celery."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--forever", action="store_true", help="go on until interrupted")

    def handle(self, *, forever: bool, **_options: Any) -> None:
        try:
            while self.round() or forever:
                close_old_connections()
                time.sleep(ROUND_S if forever else 0)
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")

    def round(self) -> int:
        """Every tick, then every connection once; how much was done."""
        done = sum(ticks.tick().values())
        done += ingest.digest_all()
        for connection_id in Connection.objects.sending().values_list("pk", flat=True):
            done += sending.drain(connection_id)
        return done

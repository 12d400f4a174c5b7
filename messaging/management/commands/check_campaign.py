from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from messaging.demo.campaigns import TookTooLong
from messaging.demo.check import CampaignCheck
from messaging.demo.players import NotSeeded
from messaging.errors import Refused


class Command(BaseCommand):
    help = "Send one campaign through the sandbox until it is delivered, and compare it with the sandbox's ledger."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--people", type=int, default=2_000)
        parser.add_argument("--limit-s", type=float, default=110.0, help="when to give up")

    def handle(self, *, people: int, limit_s: float, **_options: Any) -> None:
        try:
            problems = CampaignCheck(people, limit_s, self._say).run()
        except (NotSeeded, Refused, TookTooLong) as problem:
            raise CommandError(str(problem)) from None
        if problems:
            raise CommandError("; ".join(problems))

    def _say(self, line: str) -> None:
        self.stdout.write(line)
        self.stdout.flush()

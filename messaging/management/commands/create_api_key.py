from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from messaging.clients import add_key, create_client
from messaging.clock import db_now
from messaging.errors import Refused
from messaging.management.owners import find_owner
from messaging.models import Scope


class Command(BaseCommand):
    help = "Make an API client with one key, and print only the key."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", required=True, help="what the other system is called")
        parser.add_argument("--scopes", required=True, metavar="A,B", help=f"any of {', '.join(Scope.values)}")
        parser.add_argument("--test", action="store_true", help="reaches sandbox connections alone")
        parser.add_argument("--owner", default="", help="username of whoever answers for it; default the first admin")

    @transaction.atomic
    def handle(self, *, name: str, scopes: str, test: bool, owner: str, **_options: Any) -> None:
        wanted = [scope.strip() for scope in scopes.split(",") if scope.strip()]
        now = db_now()
        try:
            client = create_client(name=name, scopes=wanted, owner=find_owner(owner), user=None, now=now, live=not test)
            self.stdout.write(add_key(client=client, user=None, now=now))
        except Refused as refusal:
            raise CommandError(str(refusal.words)) from None

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from messaging.clock import db_now
from messaging.doorkeeping import create_door_client, rotate_door_key
from messaging.errors import Refused
from messaging.management.owners import find_owner
from messaging.models import Connection, DoorClient, WebhookEndpoint
from messaging.webhooks import create_door_endpoint

LOOPBACK = ["127.0.0.0/8", "::1/128"]


class Command(BaseCommand):
    help = "Make a client of the drop-in door, and print only its APP_KEY and APP_SECRET."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--name", required=True, help="what the other system is called")
        parser.add_argument("--mode", choices=DoorClient.Mode.values, default=DoorClient.Mode.ENFORCE.value)
        parser.add_argument("--allow", action="append", default=[], metavar="CIDR", help="an address that may call")
        parser.add_argument("--dn-url", default="", metavar="URL", help="where its delivery notifications go")
        parser.add_argument("--mo-url", default="", metavar="URL", help="where its connection's incoming messages go")
        parser.add_argument("--connection", default="", metavar="NAME", help="default: the only one there is")
        parser.add_argument("--owner", default="", help="username of whoever answers for it; default the first admin")

    @transaction.atomic
    def handle(self, *, name: str, mode: str, allow: list[str], **options: Any) -> None:
        if not allow:
            self.stderr.write(f"Without --allow only this machine may call: {', '.join(LOOPBACK)}.")
        now = db_now()
        try:
            client = create_door_client(
                name=name,
                mode=mode,
                connection=_connection(options["connection"]),
                owner=find_owner(options["owner"]),
                allowed_peers=allow or LOOPBACK,
                user=None,
                now=now,
            )
            for shape in WebhookEndpoint.Format.DOOR_DN, WebhookEndpoint.Format.DOOR_MO:
                if url := options[shape.removeprefix("door_") + "_url"]:
                    create_door_endpoint(door_client=client, shape=shape, url=url, now=now)
            self.stdout.write(" ".join(rotate_door_key(client=client, user=None, now=now)))
        except Refused as refusal:
            raise CommandError(str(refusal.words)) from None


def _connection(name: str) -> Connection:
    found = list(Connection.objects.filter(name=name) if name else Connection.objects.all()[:2])
    if not found:
        raise CommandError(f"There is no connection {name}." if name else "There is no connection yet.")
    if len(found) > 1:
        raise CommandError("There are several connections: name one with --connection.")
    return found[0]

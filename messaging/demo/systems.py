"""The clinic's other systems: the appointment book, the laboratory, and a receiver on this machine."""

from contextlib import suppress
from datetime import datetime, timedelta

from messaging import clients, doorkeeping, webhooks
from messaging.demo.past import left_since, report, send_due
from messaging.demo.players import KNOWN_FOR, Cast
from messaging.demo.story import day, number_of
from messaging.models import ApiClient, DoorClient, DoorKey, EventType, Scope
from messaging.statuses import Channel

BOOK, LABORATORY = "Appointment book", "Laboratory"
RECEIVER = "http://127.0.0.1:9000/"  # where the example of a receiver listens
TOLD = [EventType.CAMPAIGN_STATE, EventType.TEMPLATE_REVIEWED, EventType.CONSENT_CHANGED, EventType.CONNECTION_STATE]
HERE = ["127.0.0.0/8", "::1/128"]
RESULTS = "Klinik Mesra: your lab results are ready at the counter."
ANSWERED_IN = timedelta(seconds=1)
CALLS = {4: "10:15", 52: "10:16", 54: "11:40", 57: "15:05"}  # whom the laboratory wrote to, and when; one had written


def connect(cast: Cast, now: datetime) -> None:
    """A client of the API for trying, and one of the door that is watched before it is held to the rule."""
    scopes = [Scope.SEND, Scope.READ]
    book = clients.create_client(name=BOOK, scopes=scopes, owner=cast.admin, user=cast.admin, now=now, live=False)
    clients.add_key(client=book, user=cast.admin, now=now)
    laboratory = doorkeeping.create_door_client(
        name=LABORATORY,
        mode=DoorClient.Mode.OBSERVE,
        connection=cast.connection,
        allowed_peers=HERE,
        owner=cast.admin,
        user=cast.admin,
        now=now - KNOWN_FOR,
    )
    doorkeeping.rotate_door_key(client=laboratory, user=cast.admin, now=now - KNOWN_FOR)


def call_door(cast: Cast, now: datetime) -> None:
    """The laboratory's calls of the day before yesterday, each sent and delivered."""
    laboratory = DoorClient.objects.get(name=LABORATORY)
    for who, clock in CALLS.items():
        number, at = number_of(who), day(now, -2, clock)
        wish = doorkeeping.Wish(f"whatsapp:{number}", Channel.WHATSAPP, [number], RESULTS)
        doorkeeping.take_call(client=laboratory, wish=wish, now=at)
        doorkeeping.note_use(laboratory.keys.get(), at)
        send_due(cast.connection, at=at + ANSWERED_IN)
        report(cast.connection, left_since(cast.connection, at), {})


def subscribe(cast: Cast, now: datetime) -> None:
    """A receiver that nobody started yet, so it is paused: nothing leaves, and its events wait."""
    with suppress(webhooks.BadAddress):  # where receivers on this machine are not allowed
        endpoint, _secret = webhooks.create_endpoint(
            url=RECEIVER, description="Receiver on this machine", event_types=TOLD, owner=cast.admin, now=now
        )
        webhooks.pause_endpoint(endpoint=endpoint, user=cast.admin, now=now)


def date_back(now: datetime) -> None:
    """Only the clock dates these; no service takes another time."""
    since = now - KNOWN_FOR
    ApiClient.objects.filter(name=BOOK).update(created_at=since)
    DoorClient.objects.filter(name=LABORATORY).update(created_at=since)
    DoorKey.objects.filter(client__name=LABORATORY).update(created_at=since)

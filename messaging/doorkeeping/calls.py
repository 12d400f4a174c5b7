"""One call of the door becomes messages: all of its recipients or none, with everything we promise in one commit."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import connection as database
from django.db import transaction

from contacts.directory import upsert_contact
from contacts.models import Contact
from messaging.doorkeeping.let_pass import tell_owner
from messaging.doorkeeping.refs import insert_call
from messaging.doorkeeping.refusals import NO_CREDIT, NOT_APPROVED, CallRefused
from messaging.doorkeeping.texts import find_template, literal_values
from messaging.models import Connection, DoorCall, DoorClient, DoorRecipient, Message
from messaging.policy import Reason
from messaging.singles import decide, touch_conversation
from messaging.statuses import Channel, SendState

GUARD_SQL = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asks for: one text to these people. `to` is what it wrote, `msisdns` what we read."""

    to: str
    channel: Channel
    msisdns: Sequence[str]
    text: str

    @property
    def fingerprint(self) -> bytes:
        return hashlib.sha256(f"{self.to}\0{self.text}".encode()).digest()


@dataclass(frozen=True, slots=True)
class Taken:
    """The ref that a call was given; `repeated` if it is an earlier call's, and nothing was queued again."""

    ref: str
    repeated: bool = False


@transaction.atomic
def take_call(*, client: DoorClient, wish: Wish, now: datetime) -> Taken:
    """Queue a message for each recipient; the edge then nudges. Raises CallRefused, and then nobody gets anything.

    Whom our rule stops for good (opted out, number bad …) gets a skipped row, and the client an UNDELIVERED: as if the
    provider had taken the call.
    """
    if client.repeat_guard_s and (ref := _repeated_ref(client, wish, now)):
        return Taken(ref, repeated=True)
    messages = _messages(client, wish, now)
    passes = {reason for message in messages if (reason := _judge(message, client, now))}
    if client.connection.state == Connection.State.NO_CREDIT:
        raise CallRefused(NO_CREDIT)
    call = insert_call(
        DoorCall(client=client, to=wish.to, fingerprint=wish.fingerprint, would_be=min(passes, default=""), at=now)
    )
    _save(call, messages)
    if call.would_be and client.mode == DoorClient.Mode.WARN:
        tell_owner(call, now)
    return Taken(call.ref)


def _repeated_ref(client: DoorClient, wish: Wish, now: datetime) -> str | None:
    """That of the same call a moment ago; twins that come together wait for each other here."""
    with database.cursor() as cursor:
        cursor.execute(GUARD_SQL, [f"door.repeat:{client.pk}:{wish.fingerprint.hex()}"])
    since = now - timedelta(seconds=client.repeat_guard_s or 0)
    same = DoorCall.objects.filter(client=client, fingerprint=wish.fingerprint, at__gt=since)
    return same.order_by("-at").values_list("ref", flat=True).first()


def _messages(client: DoorClient, wish: Wish, now: datetime) -> list[Message]:
    """Unsaved, in the order of `to`. Both lanes of WhatsApp stay open: the window may close before it leaves."""
    people = _people(wish.msisdns)
    version, values = find_template(wish.text) if wish.channel is Channel.WHATSAPP else (None, {})
    return [
        Message(
            contact=people[msisdn],
            connection=client.connection,
            channel=wish.channel,
            body=wish.text,
            template_version=version,
            variables=literal_values(wish.text) | values,
            purpose=client.purpose,
            timeline_at=now,
        )
        for msisdn in wish.msisdns
    ]


def _people(msisdns: Iterable[str]) -> dict[str, Contact]:
    """Those whom we know are not locked here: the gate asks about them again."""
    wanted = sorted(set(msisdns))
    known = {str(contact.msisdn): contact for contact in Contact.objects.filter(msisdn__in=wanted)}
    return {msisdn: known.get(msisdn) or upsert_contact(msisdn=msisdn)[0] for msisdn in wanted}


def _judge(message: Message, client: DoorClient, now: datetime) -> str:
    """Ask the rule; the reason that the client's mode let pass, if it did. Raises CallRefused."""
    _prepared, verdict = decide(message, now)
    if verdict.reason != Reason.WINDOW_CLOSED:
        return ""
    if client.mode == DoorClient.Mode.ENFORCE:
        raise CallRefused(NOT_APPROVED)
    message.window_waived, message.template_version = True, None
    message.variables = literal_values(message.body)
    decide(message, now)
    return Reason.WINDOW_CLOSED


def _save(call: DoorCall, messages: Sequence[Message]) -> None:
    """Whom the rule stopped is planned until its place in the call stands, so that the client is told of the change."""
    stopped = [message for message in messages if message.send_state == SendState.SKIPPED]
    for message in stopped:
        message.send_state = SendState.PLANNED
    Message.objects.bulk_create(messages)
    DoorRecipient.objects.bulk_create(
        DoorRecipient(call=call, position=position, message=message) for position, message in enumerate(messages)
    )
    Message.objects.filter(pk__in=[message.pk for message in stopped]).update(send_state=SendState.SKIPPED)
    for message in sorted(messages, key=lambda message: message.contact_id):  # two calls wait, and never in a ring
        touch_conversation(message)

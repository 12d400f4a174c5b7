"""MOs become part of a person's timeline: who wrote, what, until when we may answer freely, and what they want."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.db.models import F, Value
from django.db.models.functions import Greatest

from contacts import consent
from contacts.directory import upsert_contact
from contacts.models import Contact
from contacts.numbers import BadNumber, sender_digits
from contacts.words import Wish, read_wish
from messaging.holds import wake_held
from messaging.ingest.parse import ParsedMO, read_mos
from messaging.ingest.rows import RawCall
from messaging.ingest.wishes import heed_wish
from messaging.models import Connection, Conversation, ConversationEvent, Message
from messaging.policy import session_open
from messaging.statuses import Channel, SendState

TWINS_WITHIN = timedelta(seconds=4)  # protocol.md section 4: the same words again without an id are one MO
SAME_ID_WITHIN = timedelta(hours=48)
LONGEST_USER_ID = 64


class NoSender(ValueError):
    """Whoever sent this has neither a number nor a WhatsApp user id."""


def take_mos(connection: Connection, raws: Iterable[RawCall], *, now: datetime) -> None:
    """Every MO in these calls, to the timeline. Runs in the caller's transaction; locks each person first.

    A call that adds nothing says why in `problem`.
    """
    for raw in raws:
        mos = read_mos(raw.query, raw.content_type, raw.body, connection.mo_fields)
        problems = [_take(connection, raw, mo, now) for mo in mos]
        raw.problem = "; ".join(filter(None, problems)) if mos else "no incoming message in it"


def _take(connection: Connection, raw: RawCall, mo: ParsedMO, now: datetime) -> str:
    try:
        msisdn, wa_id = _who(mo)
    except NoSender:
        return "its sender is no number"
    contact, _created = upsert_contact(msisdn=msisdn, wa_id=wa_id)
    twins = _twins(connection, contact, raw, mo)
    if mo.id and twins:
        return "the same id and text came before"
    wrote_at = _wrote_at(connection, raw, mo)
    message = _append(connection, contact, raw, mo, repeated=bool(twins))
    conversation = _note_in_conversation(message, wrote_at)
    if getattr(contact, f"{mo.channel}_bad_at") is not None:
        consent.clear_bad(contact=contact, channel=mo.channel)
        _tell_number_works(conversation, message)
    heed_wish(message, conversation, now=now)
    if mo.channel is Channel.WHATSAPP and session_open(wrote_at, now):
        wake_held(contact_id=contact.pk, connection_id=connection.pk, now=now)
    return ""


def _who(mo: ParsedMO) -> tuple[str | None, str | None]:
    """The sender's number, or the WhatsApp user id of somebody who hides theirs."""
    try:
        return sender_digits(mo.sender), None
    except BadNumber:
        if mo.channel is Channel.WHATSAPP and len(mo.sender) <= LONGEST_USER_ID:
            return None, mo.sender
        raise NoSender from None


def _twins(connection: Connection, contact: Contact, raw: RawCall, mo: ParsedMO) -> bool:
    """Whether the same MO came before: by its id, or without one by its words a moment ago.

    An id alone is not enough: nobody says which of the provider's ids are an MO's own.
    """
    within = SAME_ID_WITHIN if mo.id else TWINS_WITHIN
    near = Message.objects.mos().filter(
        contact=contact,
        connection=connection,
        channel=mo.channel,
        timeline_at__range=(raw.received_at - within, raw.received_at + within),
    )
    same = near.filter(provider_id=mo.id, body=mo.text)
    return (same.filter(media=mo.media) if mo.media else same.filter(media__isnull=True)).exists()


def _wrote_at(connection: Connection, raw: RawCall, mo: ParsedMO) -> datetime:
    """When the person wrote: the provider's time, but never later than we received it."""
    at = _provider_at(connection, mo)
    return min(at, raw.received_at) if at else raw.received_at


def _provider_at(connection: Connection, mo: ParsedMO) -> datetime | None:
    if mo.at is None or mo.at.tzinfo is not None:
        return mo.at
    return mo.at.replace(tzinfo=ZoneInfo(connection.time_zone))


def _append(connection: Connection, contact: Contact, raw: RawCall, mo: ParsedMO, *, repeated: bool) -> Message:
    return Message.objects.create(
        direction=Message.Direction.MO,
        send_state=SendState.ACCEPTED,
        contact=contact,
        connection=connection,
        channel=mo.channel,
        body=mo.text,
        media=mo.media or None,
        provider_id=mo.id,
        provider_at=_provider_at(connection, mo),
        raw_id=raw.id,
        repeated=repeated,
        timeline_at=raw.received_at,
    )


def _note_in_conversation(message: Message, wrote_at: datetime) -> Conversation:
    """Open the window from when they wrote; a late MO never moves it back, and only WhatsApp has one."""
    conversation, _created = Conversation.objects.get_or_create(
        contact=message.contact,
        connection=message.connection,
        channel=message.channel,
        defaults={"last_message_at": message.timeline_at},
    )
    if message.repeated:
        return conversation
    changes = {
        "last_message_at": Greatest("last_message_at", Value(message.timeline_at)),
        "unread": F("unread") + (0 if read_wish(message.body) is Wish.OPT_OUT else 1),  # obeyed, it wants no answer
        "version": F("version") + 1,
    }
    if message.channel == Channel.WHATSAPP:
        changes["last_mo_at"] = Greatest("last_mo_at", Value(wrote_at))
    Conversation.objects.filter(pk=conversation.pk).update(**changes)
    return conversation


def _tell_number_works(conversation: Conversation, message: Message) -> None:
    ConversationEvent.objects.create(
        contact=message.contact,
        conversation=conversation,
        kind=ConversationEvent.Kind.NUMBER_OK,
        at=message.timeline_at,
    )

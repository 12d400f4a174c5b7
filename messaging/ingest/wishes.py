"""STOP, START, and words that may mean STOP."""

from __future__ import annotations

from datetime import datetime

from contacts import consent
from contacts.models import ConsentEvent, Purpose
from contacts.words import Wish, read_wish
from messaging.facts import prepare
from messaging.models import Conversation, ConversationEvent, Message
from messaging.policy import Lane
from messaging.statuses import Channel, SendState

PERSON = ConsentEvent.Source.PERSON
OPT_OUT_CONFIRMATION = (
    "You will not get any more messages from us. Reply START to get them again.\n"
    "Anda tidak akan menerima mesej daripada kami lagi. Balas MULA untuk menerimanya semula."
)


def heed_wish(message: Message, conversation: Conversation, *, now: datetime) -> None:
    """Obey what the MO plainly says, at once and every time; what it may mean is put to staff."""
    match read_wish(message.body):
        case Wish.OPT_OUT:
            _opt_out(message, conversation, now)
        case Wish.OPT_IN:
            _opt_in(message, conversation)
        case Wish.ASK:
            _set_asks_to_stop(conversation, True)


def _opt_out(message: Message, conversation: Conversation, now: datetime) -> None:
    """On all channels and for all purposes, from when we received it: an agent may answer whatever comes after.

    Said again, it is not confirmed again.
    """
    change = consent.opt_out(contact=message.contact, source=PERSON, words=message.body, now=message.timeline_at)
    _set_asks_to_stop(conversation, False)
    if change.changed:
        _tell(message, conversation, ConversationEvent.Kind.OPTED_OUT)
        if message.channel == Channel.WHATSAPP:
            _confirm(message, now)


def _opt_in(message: Message, conversation: Conversation) -> None:
    change = consent.opt_in(contact=message.contact, source=PERSON, words=message.body, now=message.timeline_at)
    _set_asks_to_stop(conversation, False)
    if change.changed:
        _tell(message, conversation, ConversationEvent.Kind.OPTED_IN)


def _set_asks_to_stop(conversation: Conversation, asks: bool) -> None:
    if conversation.asks_to_stop is not asks:
        conversation.asks_to_stop = asks
        conversation.save(update_fields=["asks_to_stop"])


def _tell(message: Message, conversation: Conversation, kind: str) -> None:
    ConversationEvent.objects.create(
        contact=message.contact, conversation=conversation, kind=kind, text=message.body, at=message.timeline_at
    )


def _confirm(mo: Message, now: datetime) -> None:
    """Queue the one message that an opted-out person still gets, if the window lets it leave as a session message."""
    confirmation = Message(
        contact=mo.contact,
        connection=mo.connection,
        purpose=Purpose.OPT_OUT_CONFIRMATION,
        body=OPT_OUT_CONFIRMATION,
        channel=Channel.WHATSAPP,
        answers=mo,
        timeline_at=now,
    )
    (prepared,) = prepare([confirmation], connection=mo.connection, now=now, queued=False)
    verdict = prepared.decide(now) if prepared else None
    if prepared and verdict and verdict.lane is Lane.SESSION:
        confirmation.send_state = SendState.QUEUED
        confirmation.lane, confirmation.reason = verdict.lane, verdict.reason
        confirmation.planned_lane, confirmation.planned_reason = verdict.lane, verdict.reason
        confirmation.facts = verdict.facts(prepared.facts)
        confirmation.save()

"""A person's timeline as pages draw it: days, bubbles, and what happened in between."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from django.utils import timezone
from django.utils.translation import gettext as _

from messaging.inbox import Entry
from messaging.models import ConversationEvent, Message
from messaging.staff import staff_name
from messaging.statuses import Channel, SendState, Status
from messaging.web.frame import words

TROUBLE = {Status.UNDELIVERED, Status.REFUSED, Status.STUCK, Status.EXPIRED}
Kind = ConversationEvent.Kind


@dataclass(frozen=True, slots=True)
class Bubble:
    """One message: whose side it is on, how it went, its words, and its state in words."""

    message: Message
    text: str
    at: datetime
    answered: bool = False  # their latest message comes right after it: it is what they answer

    @property
    def side(self) -> str:
        return self.message.direction

    @property
    def lane(self) -> str:
        return "" if self.side == "mo" else self.message.lane or self.message.planned_lane

    @property
    def tone(self) -> str:
        """How its edge looks: unknown, bad, or quiet for what never left."""
        if self.side == "mo":
            return ""
        if self.message.status is Status.UNKNOWN:
            return "unknown"
        if self.message.status in TROUBLE:
            return "bad"
        return "quiet" if self.message.send_state in (SendState.SKIPPED, SendState.CANCELLED) else ""

    @property
    def way(self) -> str:
        """The channel, and for ours the lane: “WhatsApp, template”."""
        channel = "SMS" if self._channel == Channel.SMS else "WhatsApp"
        if self.side == "mo" or self.lane in ("sms", "", "held", "skipped"):
            return channel
        return f"{channel}, {words.lane_words(self.lane).lower()}"

    @property
    def _channel(self) -> str:
        return Channel.SMS if self.lane == "sms" else self.message.channel or Channel.WHATSAPP

    @property
    def why(self) -> str:
        """Why it did not leave, or is held; empty for what went its way."""
        stopped = self.message.send_state in (SendState.SKIPPED, SendState.HELD, SendState.EXPIRED)
        return words.reason_words(self.message.held_for or self.message.reason) if stopped else ""

    @property
    def who(self) -> str:
        """Whoever of staff wrote it, or the other system that asked for it."""
        author, client = self.message.author, self.message.client
        if self.side == "mo":
            return ""
        return staff_name(author) or (_("%s (API)") % client if client else "")


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that is no message, in one line; a note has its own text."""

    at: datetime
    kind: str
    words: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """Everything of one day in the reader's zone, oldest first."""

    day: date
    items: Sequence[Bubble | Happening]


def days(entries: Iterable[Entry]) -> list[Day]:
    """The timeline's entries by day."""
    entries = list(entries)
    answered = _answered(entries)
    found = groupby(entries, lambda entry: timezone.localdate(entry.at))
    return [Day(day, [item(entry, answered) for entry in group]) for day, group in found]


def _answered(entries: Sequence[Entry]) -> Message | None:
    """The message of ours before their latest one, which is still to be answered."""
    messages = [entry.message for entry in entries if entry.message]
    theirs = [message.direction == "mo" for message in messages]
    if not theirs or not theirs[-1]:
        return None
    return next(
        (one for one, is_theirs in zip(reversed(messages), reversed(theirs), strict=True) if not is_theirs), None
    )


def item(entry: Entry, answered: Message | None = None) -> Bubble | Happening:
    if entry.message:
        return Bubble(entry.message, entry.text, entry.at, entry.message == answered)
    assert entry.event is not None
    return _happening(entry.event)


def _happening(event: ConversationEvent) -> Happening:
    who = staff_name(event.actor)
    if event.kind == Kind.NOTE:
        return Happening(event.at, event.kind, _("Note by %s") % (who or _("Switchboard")), event.text)
    if event.kind == Kind.ASSIGNED and event.actor and event.text in (who, event.actor.get_username()):
        return Happening(event.at, event.kind, _("Taken by %s") % who)
    said = {
        Kind.ASSIGNED: _("Given to %s") % event.text if event.text else _("Given back to everybody"),
        Kind.OPTED_OUT: _("Opted out"),
        Kind.OPTED_IN: _("Agreed to be written to"),
        Kind.NUMBER_BAD: _("Number does not work"),
        Kind.NUMBER_OK: _("Number works again"),
    }[Kind(event.kind)]
    quoted = f" “{event.text}”" if event.text and event.kind != Kind.ASSIGNED else ""
    return Happening(event.at, event.kind, f"{said}{quoted}{f' · {who}' if who else ''}")

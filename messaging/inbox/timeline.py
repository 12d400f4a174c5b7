"""One person's messages over all channels and connections, with what else happened to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Prefetch, Q, QuerySet

from contacts.models import Contact
from messaging.facts import Bodies, Person, load_people, render_lanes
from messaging.models import ConversationEvent, Message, RequestRecipient
from messaging.policy import SENDING_LANES

TEXTS_FROM = (
    "campaign__template_version",
    "campaign__connection",
    "test_of__template_version",
    "test_of__connection",
    "template_version",
    "connection",
)  # what `said` reads of a message
MESSAGE, EVENT = 0, 1  # order of two entries at the same instant: what was said, then what it did


@dataclass(frozen=True, slots=True)
class Entry:
    """A message with its text as it left, or an event. `cursor` asks for what came before it."""

    at: datetime
    text: str
    message: Message | None = None
    event: ConversationEvent | None = None

    @property
    def kind(self) -> str:
        """mo, mt, or the event's kind."""
        return self.message.direction if self.message else self.event.kind if self.event else ""

    @property
    def key(self) -> tuple[datetime, int, int]:
        row = self.message or self.event
        return self.at, MESSAGE if self.message else EVENT, row.pk if row else 0

    @property
    def cursor(self) -> str:
        at, rank, pk = self.key
        return f"{at.isoformat()}_{rank}_{pk}"


def timeline(contact: Contact, *, before: str | None = None, limit: int = 50) -> list[Entry]:
    """The newest `limit` entries older than the cursor, oldest first; a cursor that is none counts as absent."""
    messages = Message.objects.timeline_of(contact.pk).select_related(*TEXTS_FROM, "author", "client")
    sent = RequestRecipient.objects.select_related("request").order_by("pk")
    messages = messages.prefetch_related(Prefetch("attempts", sent))
    events = contact.conversation_events.select_related("actor").order_by("-at", "-pk")
    key = _parse(before)
    entries = [Entry(event.at, event.text, event=event) for event in _older(events, "at", EVENT, key)[:limit]]
    rows = list(_older(messages, "timeline_at", MESSAGE, key)[:limit])
    texts = said(rows)
    entries += [Entry(row.timeline_at, texts[row.pk], message=row) for row in rows]
    return sorted(entries, key=lambda entry: entry.key)[-limit:]


def _parse(cursor: str | None) -> tuple[datetime, int, int] | None:
    try:
        at, rank, pk = (cursor or "").split("_")
        return datetime.fromisoformat(at), int(rank), int(pk)
    except ValueError:
        return None


def _older(rows: QuerySet, at_field: str, rank: int, key: tuple[datetime, int, int] | None) -> QuerySet:
    """The rows that stand before the key in the order (time, rank, id)."""
    if key is None:
        return rows
    at, key_rank, pk = key
    earlier = Q(**{f"{at_field}__lt": at})
    if rank == key_rank:
        earlier |= Q(**{at_field: at}, pk__lt=pk)
    elif rank < key_rank:
        earlier |= Q(**{at_field: at})
    return rows.filter(earlier, **{f"{at_field}__lte": at})  # said apart, so that an index can begin there


def said(messages: Iterable[Message]) -> dict[int, str]:
    """The words of each message: as they left, as they came in, or as they would leave now.

    Load them with TEXTS_FROM and their attempts' requests, so that it costs one query a connection with unsent ones.
    """
    messages = list(messages)
    texts = {message.pk: _as_it_was(message) for message in messages}
    unsent: dict[int, list[Message]] = defaultdict(list)
    for message in messages:
        if texts[message.pk] is None:
            unsent[message.connection_id].append(message)
    for connection_id, waiting in unsent.items():
        people = load_people({message.contact_id for message in waiting}, connection_id)
        texts |= {message.pk: _rendered(message, people.get(message.contact_id)) for message in waiting}
    return {pk: text or "" for pk, text in texts.items()}


def _as_it_was(message: Message) -> str | None:
    if message.direction == Message.Direction.MO:
        return message.body
    attempts = list(message.attempts.all())
    return attempts[-1].request.text if attempts else None


def _rendered(message: Message, person: Person | None) -> str:
    """In the lane it was decided on, else in the first one; a text that does not render is shown with its gaps."""
    bodies = Bodies.of_message(message)
    rendered = render_lanes(bodies, person.values | message.variables)[0] if person else {}
    decided = (lane for lane in SENDING_LANES if lane in (message.lane, message.planned_lane))
    lanes = [lane for lane in (*decided, *SENDING_LANES) if lane in bodies.of]
    return next((rendered.get(lane) or bodies.of[lane] for lane in lanes), "")

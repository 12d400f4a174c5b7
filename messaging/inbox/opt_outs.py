"""What an opt-out shuts in a conversation: the rule's answer to a reply that nobody has written yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from django.db.models import OuterRef, QuerySet, Subquery

from contacts.consent import suppressions_for
from contacts.models import ConsentEvent, Purpose, Suppression
from messaging.facts import opted_out
from messaging.models import Conversation, Message
from messaging.policy import opt_out_stops
from messaging.statuses import Channel

REPLY_PURPOSE = Purpose.SERVICE  # of every reply of staff


@dataclass(frozen=True, slots=True)
class OptOut:
    """Since when each channel is shut to a reply; a channel that may carry one is absent."""

    since: Mapping[Channel, datetime] = field(default_factory=dict)
    lifted_by_start: bool = False  # all of it is the person's own STOP

    @property
    def of_all(self) -> bool:
        return len(self.since) == len(Channel)


def opt_outs(conversations: Iterable[Conversation]) -> dict[int, OptOut]:
    """By conversation, with its contact loaded: one query, and one more if anybody opted out."""
    talks = list(conversations)
    suppressed = suppressions_for({bytes(talk.contact.address_hmac) for talk in talks if talk.contact.address_hmac})
    said = {talk.pk: suppressed.get(bytes(talk.contact.address_hmac or b""), []) for talk in talks}
    wrote = _wrote_at([pk for pk, suppressions in said.items() if suppressions])
    return {pk: _opt_out(suppressions, wrote.get(pk)) for pk, suppressions in said.items()}


def _opt_out(suppressions: Sequence[Suppression], wrote_at: datetime | None) -> OptOut:
    scopes = ((row.channel, row.purpose, row.since.isoformat()) for row in suppressions)
    shut = opted_out(scopes, REPLY_PURPOSE)
    since = {channel: at for channel, at in shut.items() if opt_out_stops(at, wrote_at)}
    return OptOut(since, all(row.source == ConsentEvent.Source.PERSON for row in suppressions))


def _wrote_at(conversation_ids: Sequence[int]) -> dict[int, datetime | None]:
    if not conversation_ids:
        return {}
    latest = mos_of(OuterRef("contact"), OuterRef("connection")).values("timeline_at")[:1]
    found = Conversation.objects.filter(pk__in=conversation_ids).annotate(wrote_at=Subquery(latest))
    return dict(found.values_list("pk", "wrote_at"))


def mos_of(contact: int | OuterRef, connection: int | OuterRef) -> QuerySet[Message]:
    """What they wrote on any channel of that connection, the latest first: the first is what a reply answers."""
    return Message.objects.mos().filter(contact=contact, connection=connection).order_by("-timeline_at", "-pk")

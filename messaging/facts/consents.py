"""Who said stop, and who agreed to marketing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from contacts.models import ALL, ConsentEvent, Purpose
from messaging.facts.intended import Intended
from messaging.facts.people import Person
from messaging.models import Connection
from messaging.statuses import Channel


def opted_out(suppressions: Iterable[tuple[str, str, str]], purpose: str) -> dict[Channel, datetime]:
    """Since when each channel is shut for this purpose; the latest of several counts."""
    shut: dict[Channel, datetime] = {}
    for scope, of_purpose, since in suppressions:
        if of_purpose in (ALL, purpose):
            at = datetime.fromisoformat(since)
            shut |= {channel: max(at, shut.get(channel, at)) for channel in Channel if scope in (ALL, channel)}
    return shut


def opted_in(people: Mapping[int, Person], messages: Iterable[Intended], connection: Connection) -> Collection[int]:
    """Who agreed to marketing, where the connection asks for that; else everybody."""
    if not connection.marketing_needs_opt_in or all(m.purpose != Purpose.MARKETING for m in messages):
        return people.keys()
    agreed = ConsentEvent.objects.filter(
        contact__in=people, direction=ConsentEvent.Direction.IN, purpose__in=[ALL, Purpose.MARKETING]
    )
    return set(agreed.values_list("contact_id", flat=True))

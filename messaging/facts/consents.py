"""Who said stop, and who agreed to marketing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from contacts.models import ALL, ConsentEvent, Purpose, Suppression
from messaging.facts.people import Person
from messaging.models import Connection, Message
from messaging.statuses import Channel


def suppressions(people: Iterable[Person]) -> dict[bytes | None, list[Suppression]]:
    """Each number's suppressions by its HMAC; without a number there are none."""
    found: dict[bytes | None, list[Suppression]] = {}
    hmacs = [person.address_hmac for person in people if person.address_hmac]
    for row in Suppression.objects.filter(address_hmac__in=hmacs):
        found.setdefault(bytes(row.address_hmac), []).append(row)
    return found


def opted_out(rows: Iterable[Suppression], purpose: str) -> dict[Channel, datetime]:
    """Since when each channel is shut for this purpose; the latest of several rows counts."""
    since: dict[Channel, datetime] = {}
    for row in rows:
        if row.purpose not in (ALL, purpose):
            continue
        for channel in Channel:
            if row.channel in (ALL, channel):
                since[channel] = max(row.since, since.get(channel, row.since))
    return since


def opted_in(people: Mapping[int, Person], messages: Iterable[Message], connection: Connection) -> Collection[int]:
    """Who agreed to marketing, where the connection asks for that; else everybody."""
    if not connection.marketing_needs_opt_in or all(m.purpose != Purpose.MARKETING for m in messages):
        return people.keys()
    agreed = ConsentEvent.objects.filter(
        contact__in=people, direction=ConsentEvent.Direction.IN, purpose__in=[ALL, Purpose.MARKETING]
    )
    return set(agreed.values_list("contact_id", flat=True))

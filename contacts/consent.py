"""The consent ledger and what follows from it: who must not be messaged, and which channels do not reach a person.

Each service first takes the contact FOR NO KEY UPDATE, so that an MT at the sending gate either left before or sees it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet

from contacts.addresses import address_hmac
from contacts.models import ALL, ConsentEvent, Contact, Suppression
from contacts.models.consent import Purpose

Source = ConsentEvent.Source

CHANNELS = ("whatsapp", "sms")
LIFTS = {  # whose suppressions an opt-in from this source ends
    Source.PERSON: (Source.PERSON,),
    Source.API: (Source.API,),
    Source.STAFF: tuple(Source),  # an explicit act with evidence
}


class EvidenceNeeded(ValueError):
    """A member of staff lifts an opt-out only with their name and the words that the person used."""


class CannotOptIn(ValueError):
    """Imports and delivery notifications never lift a suppression."""


class NoAddress(ValueError):
    """An erased contact has nothing left that could be suppressed."""


@dataclass(frozen=True)
class ConsentChange:
    """The ledger's entry, and whether anything is different now: a repeated STOP is written down, no more."""

    event: ConsentEvent
    changed: bool


@transaction.atomic
def opt_out(
    *,
    contact: Contact,
    source: str,
    words: str,
    now: datetime,
    channel: str = ALL,
    purpose: str = ALL,
    actor: User | None = None,
) -> ConsentChange:
    """Suppress the contact's address. The same call twice is one event; a later one moves `since` forward."""
    contact = Contact.objects.lock(contact)
    event, said_now = _write(contact, ConsentEvent.Direction.OUT, source, words, now, channel, purpose, actor)
    if not said_now:
        return ConsentChange(event, changed=False)
    row, created = Suppression.objects.get_or_create(
        address_hmac=event.address_hmac,
        channel=channel,
        purpose=purpose,
        defaults={"source": source, "event": event, "since": now},
    )
    if not created:
        if row.source == Source.PERSON:  # what somebody else sets is not the person's to lift by START
            row.source, row.event = source, event
        row.since = max(row.since, now)
        row.save()
    return ConsentChange(event, created)


@transaction.atomic
def opt_in(
    *,
    contact: Contact,
    source: str,
    words: str,
    now: datetime,
    channel: str = ALL,
    purpose: str = ALL,
    actor: User | None = None,
) -> ConsentChange:
    """Lift the suppressions inside this scope that the source may lift (LIFTS): START only the person's own STOP.

    Raises EvidenceNeeded, CannotOptIn.
    """
    if source not in LIFTS:
        raise CannotOptIn(source)
    if source == Source.STAFF and not (words.strip() and actor):
        raise EvidenceNeeded
    contact = Contact.objects.lock(contact)
    event, said_now = _write(contact, ConsentEvent.Direction.IN, source, words, now, channel, purpose, actor)
    if not said_now:
        return ConsentChange(event, changed=False)
    inside = _of(contact).filter(source__in=LIFTS[Source(source)], since__lte=now)
    for scope, value in {"channel": channel, "purpose": purpose}.items():
        inside = inside if value == ALL else inside.filter(**{scope: value})
    return ConsentChange(event, changed=bool(inside.delete()[0]))


@transaction.atomic
def copy_suppression(*, contact: Contact, wa_id: str = "") -> int:
    """What was suppressed under the WhatsApp user id also holds for the number that became known; how many were new."""
    contact = Contact.objects.lock(contact)
    user = wa_id or contact.wa_id
    if not (user and contact.msisdn):
        return 0
    known = {(row.channel, row.purpose) for row in _at(address_hmac(contact.msisdn))}
    copies = [
        Suppression(
            address_hmac=address_hmac(contact.msisdn),
            channel=row.channel,
            purpose=row.purpose,
            source=row.source,
            event_id=row.event_id,
            since=row.since,
        )
        for row in _at(address_hmac(user))
        if (row.channel, row.purpose) not in known
    ]
    return len(Suppression.objects.bulk_create(copies, ignore_conflicts=True))


@transaction.atomic
def mark_bad(*, contact: Contact, channel: str, notice_id: int | None, now: datetime) -> bool:
    """The DN says that this channel does not reach the person; whether that is news. The first DN stays named."""
    bad_at, bad_notice = _mark_fields(channel)
    contact = Contact.objects.lock(contact)
    if getattr(contact, bad_at) is not None:
        return False
    Contact.objects.filter(pk=contact.pk).update(**{bad_at: now, bad_notice: notice_id})
    return True


@transaction.atomic
def clear_bad(*, contact: Contact, channel: str) -> bool:
    """The channel reaches the person after all (an MO came, or a member of staff says so); whether that is news."""
    bad_at, bad_notice = _mark_fields(channel)
    contact = Contact.objects.lock(contact)
    if getattr(contact, bad_at) is None:
        return False
    Contact.objects.filter(pk=contact.pk).update(**{bad_at: None, bad_notice: None})
    return True


def suppressions_for(hmacs: Iterable[bytes]) -> dict[bytes, list[Suppression]]:
    """Every suppression of each address, in one query; an address without any has an empty list."""
    found: dict[bytes, list[Suppression]] = {bytes(key): [] for key in hmacs}
    for row in Suppression.objects.filter(address_hmac__in=list(found)).order_by("pk"):
        found[bytes(row.address_hmac)].append(row)
    return found


def _write(
    contact: Contact,
    direction: str,
    source: str,
    words: str,
    now: datetime,
    channel: str,
    purpose: str,
    actor: User | None,
) -> tuple[ConsentEvent, bool]:
    """The ledger's entry, and whether it was not there yet."""
    if not contact.address:
        raise NoAddress
    if channel not in (*CHANNELS, ALL) or purpose not in (*Purpose, ALL):
        raise ValueError(f"no such scope: {channel}/{purpose}")
    return ConsentEvent.objects.get_or_create(
        contact=contact,
        address_hmac=address_hmac(contact.address),
        channel=channel,
        purpose=purpose,
        direction=direction,
        source=Source(source),
        words=words,
        actor=actor,
        at=now,
    )


def _of(contact: Contact) -> QuerySet[Suppression]:
    return _at(*(address_hmac(address) for address in (contact.msisdn, contact.wa_id) if address))


def _at(*hmacs: bytes) -> QuerySet[Suppression]:
    return Suppression.objects.filter(address_hmac__in=hmacs)


def _mark_fields(channel: str) -> tuple[str, str]:
    if channel not in CHANNELS:
        raise ValueError(f"no such channel: {channel}")
    return f"{channel}_bad_at", f"{channel}_bad_notice"

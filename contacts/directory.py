"""The one way in for a person, whichever door they come through."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Q, QuerySet

from contacts import consent
from contacts.models import Contact, ContactField
from contacts.values import clean_fields, clean_value

RACES = 3


@transaction.atomic
def upsert_contact(
    *,
    msisdn: str | None = None,
    wa_id: str | None = None,
    name: str = "",
    language: str = "",
    fields: dict[str, str] | None = None,
) -> tuple[Contact, bool]:
    """The one contact of this address, and whether it is new; it comes back locked FOR NO KEY UPDATE.

    `msisdn` is what `numbers` returned. A blank leaves what is stored. A `wa_id` whose number becomes known takes its
    suppressions along; where both addresses have a contact already, the number's is the one, and it inherits them.
    """
    if not (msisdn or wa_id):
        raise ValueError("a contact needs a number or a WhatsApp user id")
    contact, created = _claim_addresses(msisdn or None, wa_id or None)
    before = (contact.name, contact.language, contact.fields)
    contact.name = clean_value(name) or contact.name
    contact.language = clean_value(language) or contact.language
    contact.fields = contact.fields | clean_fields(fields or {})
    if (contact.name, contact.language, contact.fields) != before:
        contact.save()
    return contact, created


@transaction.atomic
def edit_contact(
    *, contact: Contact, name: str | None = None, language: str | None = None, fields: dict[str, str] | None = None
) -> Contact:
    """What a member of staff typed on the person's page: what is given replaces what was there, a blank empties it."""
    contact = Contact.objects.lock(contact)
    if name is not None:
        contact.name = clean_value(name)
    if language is not None:
        contact.language = clean_value(language)
    contact.fields = clean_fields(contact.fields | (fields or {}))
    contact.save()
    return contact


@transaction.atomic
def upsert_contacts(rows: Sequence[Mapping[str, Any]]) -> list[tuple[Contact, bool]]:
    """`upsert_contact` of each of these, in their order. Numbers are taken in one order, so no two calls deadlock."""
    upserted: dict[int, tuple[Contact, bool]] = {}
    for index in sorted(range(len(rows)), key=lambda index: rows[index]["msisdn"]):
        upserted[index] = upsert_contact(**rows[index])
    return [upserted[index] for index in range(len(rows))]


def make_fields(keys: Iterable[str]) -> None:
    """A field for each key that is new, labelled with the key."""
    ContactField.objects.bulk_create([ContactField(key=key, label=key) for key in keys], ignore_conflicts=True)


def _claim_addresses(msisdn: str | None, wa_id: str | None) -> tuple[Contact, bool]:
    known = _find(Contact.objects.all(), msisdn, wa_id)
    if known and _says_all(known, msisdn, wa_id):
        known = Contact.objects.lock(known)
        if _says_all(known, msisdn, wa_id):
            return known, False
    for chance in range(1, RACES + 1):
        try:
            with transaction.atomic():
                return _find_or_create(msisdn, wa_id)
        except IntegrityError:  # an import, which does not queue, was faster
            if chance == RACES:
                raise
    raise AssertionError("unreachable")


def _find_or_create(msisdn: str | None, wa_id: str | None) -> tuple[Contact, bool]:
    _queue_at(msisdn, wa_id)
    locked = Contact.objects.order_by("pk").select_for_update(no_key=True)
    newcomer = Contact(msisdn=msisdn, wa_id=None if msisdn else wa_id)
    contact = _find(locked, msisdn, wa_id)
    if contact is None:
        Contact.objects.bulk_create([newcomer], ignore_conflicts=True)
        contact = _find(locked, msisdn, wa_id)
    assert contact is not None
    if msisdn and wa_id and not _says_all(contact, msisdn, wa_id):
        _learn(contact, msisdn, wa_id)
    return contact, contact.public_id == newcomer.public_id


def _queue_at(*addresses: str | None) -> None:
    """One caller at a time at each address, before any row is locked: two who learn from each other would deadlock."""
    with connection.cursor() as cursor:
        for address in sorted(filter(None, addresses)):
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"contacts.address:{address}"])


def _find(contacts: QuerySet[Contact], msisdn: str | None, wa_id: str | None) -> Contact | None:
    """By number, else by WhatsApp user id unless that person is known under another number."""
    same = Q(msisdn=msisdn, msisdn__isnull=False) | Q(wa_id=wa_id, wa_id__isnull=False)
    found = list(contacts.filter(same))
    by_number = (contact for contact in found if msisdn and contact.msisdn == msisdn)
    by_user = (contact for contact in found if not (msisdn and contact.msisdn))
    return next(by_number, None) or next(by_user, None)


def _says_all(contact: Contact, msisdn: str | None, wa_id: str | None) -> bool:
    return msisdn in (None, contact.msisdn) and wa_id in (None, contact.wa_id)


def _learn(contact: Contact, msisdn: str, wa_id: str) -> None:
    """Fill in the address that was unknown until now; an opt-out at either address holds for both."""
    contact.msisdn = msisdn
    if not contact.wa_id and not Contact.objects.filter(wa_id=wa_id).exists():
        contact.wa_id = wa_id
    contact.save()
    consent.copy_suppression(contact=contact, wa_id=wa_id)

"""Named sets of people."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from django.db import IntegrityError, transaction

from contacts.models import Contact, ContactList, ListMembership
from contacts.values import clean_value

CHUNK = 5_000


class BadName(ValueError):
    """A list needs a name, and one of its own."""


def save_list(*, contact_list: ContactList, name: str) -> ContactList:
    """A new list, or a new name for one. Raises BadName."""
    contact_list.name = clean_value(name)
    if not contact_list.name:
        raise BadName
    try:
        with transaction.atomic():
            contact_list.save()
    except IntegrityError as error:
        raise BadName from error
    return contact_list


def add_people(*, contact_list: ContactList, contacts: Iterable[Contact]) -> int:
    """How many of them are new in it."""
    before = contact_list.members.count()
    joining = [ListMembership(contact_list=contact_list, contact=contact) for contact in contacts]
    ListMembership.objects.bulk_create(joining, ignore_conflicts=True)
    return contact_list.members.count() - before


def add_ids(*, contact_list: ContactList, contact_ids: Iterable[int]) -> None:
    """The same for many, by their ids; none of them is in it."""
    ids = iter(contact_ids)
    while chunk := list(islice(ids, CHUNK)):
        ListMembership.objects.bulk_create(ListMembership(contact_list=contact_list, contact_id=pk) for pk in chunk)


def remove_person(*, contact_list: ContactList, contact: Contact) -> bool:
    """Whether they were in it."""
    gone, _by_model = ListMembership.objects.filter(contact_list=contact_list, contact=contact).delete()
    return bool(gone)

"""A list of very many people, written by set-based SQL (bench.crowd) in seconds."""

from __future__ import annotations

from bench.crowd import fill, hmac_keys, hmac_sql, numbers, run_sql
from contacts.models import Contact, ContactList, ListMembership

MSISDN = "('6012' || lpad((n + 10000000)::text, 8, '0'))"


def everybody(people: int) -> ContactList:
    """Their numbers are consecutive."""
    first = fill(
        Contact, f"{numbers(people)} ORDER BY n", hmac_keys(), msisdn=MSISDN, address_hmac=hmac_sql(MSISDN),
        name="'Person ' || n",
    )  # fmt: skip
    them = ContactList.objects.create(name=f"{people} people")
    fill(ListMembership, numbers(people), contact_list_id=str(them.pk), contact_id=f"{first} + n")
    run_sql("VACUUM ANALYZE contacts_contact, contacts_listmembership")
    return them

"""People as the rule and the texts see them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from config.statements import prepared_cursor
from messaging.statuses import Channel

BAD = {  # by the marks of a person's number for WhatsApp and SMS
    (False, False): frozenset[Channel](),
    (True, False): frozenset({Channel.WHATSAPP}),
    (False, True): frozenset({Channel.SMS}),
    (True, True): frozenset(Channel),
}

PEOPLE_SQL = """
SELECT c.id, c.public_id, c.msisdn, c.name, c.fields, c.address_hmac, c.erased_at IS NOT NULL,
       c.whatsapp_bad_at IS NOT NULL, c.sms_bad_at IS NOT NULL, w.last_mo_at,
       (SELECT json_agg(json_build_array(s.channel, s.purpose, s.since)) FROM contacts_suppression s
        WHERE s.address_hmac = c.address_hmac)
FROM contacts_contact c
LEFT JOIN messaging_conversation w
       ON w.contact_id = c.id AND w.connection_id = %s AND w.channel = 'whatsapp'
WHERE c.id = ANY (%s)
"""


@dataclass(frozen=True, slots=True)
class Person:
    """One contact as the rule and the texts see them."""

    id: int
    public_id: str
    msisdn: str | None
    name: str
    fields: Mapping[str, Any]
    address_hmac: bytes | None
    erased: bool
    bad: frozenset[Channel]
    last_mo_at: datetime | None
    suppressions: Sequence[tuple[str, str, str]]  # channel, purpose, since when (ISO 8601)

    @property
    def values(self) -> dict[str, str]:
        return placeholder_values(self.fields, self.name, self.msisdn)


def placeholder_values(fields: Mapping[str, Any], name: str, msisdn: str | None) -> dict[str, str]:
    """What placeholders stand for. `name` and `msisdn` are built in; a blank is an absent key."""
    return {key: _spelled(value) for key, value in fields.items()} | {"name": name, "msisdn": msisdn or ""}


def _spelled(value: Any) -> str:
    """A JSON value as PostgreSQL's ->> spells it; null is a blank."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def load_people(contact_ids: Collection[int], connection_id: int) -> dict[int, Person]:
    """Contacts with their window on this connection, in one statement."""
    with prepared_cursor() as cursor:
        cursor.execute(PEOPLE_SQL, [connection_id, list(contact_ids)])
        return {row[0]: _person(row) for row in cursor.fetchall()}


def _person(row: Sequence[Any]) -> Person:
    id_, public_id, msisdn, name, fields, hmac, erased, whatsapp_bad, sms_bad, last_mo_at, suppressions = row
    bad = BAD[whatsapp_bad, sms_bad]
    fields = json.loads(fields) if isinstance(fields, str) else fields
    hmac = hmac and bytes(hmac)
    return Person(id_, str(public_id), msisdn, name, fields, hmac, erased, bad, last_mo_at, suppressions or ())

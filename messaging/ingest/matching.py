"""Which recipient of which request a DN speaks of. Refs may repeat, so a match is (connection, ref, number).

protocol.md section 3: exact msgid first, else without a final `-digits` (an id with one hyphen is a ref of its own); a
number beats an index. Where two recipients could be meant, none is.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from config.statements import prepared_cursor
from contacts.addresses import address_hmac
from contacts.numbers import BadNumber, sender_digits
from messaging.ingest.rows import Recipient

INDEX = re.compile(r"(?P<ref>.*-.*)-(?P<index>[0-9]{1,4})", re.DOTALL)
E164 = re.compile(r"[1-9][0-9]{6,14}")

RECIPIENTS_SQL = """
SELECT t.id, r.ref, t.message_id, t.position, t.address_hmac, t.outcome, t.superseded_at IS NOT NULL
FROM messaging_providerrequest r JOIN messaging_requestrecipient t ON t.request_id = r.id
WHERE r.connection_id = %s AND r.ref = ANY (%s) AND r.ref <> '' ORDER BY t.id
"""

Key = tuple[str, int | None]  # ref, index


@dataclass(frozen=True, slots=True)
class Match:
    """The recipient, if there is exactly one, and what was odd."""

    recipient: Recipient | None
    flag: str = ""


def keys_of(msgid: str) -> list[Key]:
    """The refs that an id may mean, the likelier first, each with the index that is then left."""
    cut = INDEX.fullmatch(msgid)
    return [(msgid, None), *([(cut["ref"], int(cut["index"]))] if cut else [])] if msgid else []


def number_hmac(msisdn: str) -> bytes | None:
    """A DN's number as Recipient has it; None if it is no number."""
    digits = msisdn.lower().removeprefix("whatsapp:").lstrip("+ ")
    if not E164.fullmatch(digits):
        try:
            digits = sender_digits(msisdn)
        except BadNumber:
            return None
    return address_hmac(digits)


def recipients_by_ref(connection_id: int, refs: Collection[str]) -> dict[str, list[Recipient]]:
    """Everyone whom requests with these refs went to, in one query."""
    found: dict[str, list[Recipient]] = {}
    with prepared_cursor() as cursor:
        cursor.execute(RECIPIENTS_SQL, [connection_id, list(refs)])
        for row in cursor.fetchall():
            recipient = Recipient(*row)
            found.setdefault(recipient.ref, []).append(recipient)
    return found


def match(msgid: str, msisdn: str, hmac: bytes | None, known: Mapping[str, Iterable[Recipient]]) -> Match:
    """The one recipient that the DN names among those of the known refs."""
    keys = [(known[ref], index) for ref, index in keys_of(msgid) if ref in known]
    if not keys:
        return Match(None)
    recipients, index = keys[0]
    if msisdn:
        return _by_number(recipients, index, hmac)
    return _by_position(list(recipients), index)


def _by_number(recipients: Iterable[Recipient], index: int | None, hmac: bytes | None) -> Match:
    same = [recipient for recipient in recipients if recipient.address_hmac == hmac]
    if len(same) != 1:
        return Match(None, "ambiguous_ref" if same else "number_not_in_request")
    return Match(same[0], "" if index in (None, same[0].position) else "number_beats_index")


def _by_position(recipients: list[Recipient], index: int | None) -> Match:
    """A DN without a number: its index decides, or that there is only one recipient."""
    there = [recipient for recipient in recipients if index in (None, recipient.position)]
    return Match(there[0], "no_number") if len(there) == 1 else Match(None, "ambiguous_ref")

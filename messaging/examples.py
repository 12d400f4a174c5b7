"""People of a draft's audience who try its texts most: the longest values, one missing, letters unlike the others'."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection as database

from messaging import text
from messaging.facts import Bodies
from messaging.models import Campaign
from messaging.planning import everyone_sql
from messaging.policy import Lane

CHINESE = "[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]"  # Unicode's CJK ideographs but for the rare ones of plane 2
_PLAIN = re.sub(r"([][\\^-])", r"\\\1", "".join(sorted(text.GSM7_LETTERS | text.GSM7_DOUBLE_LETTERS)))
DEARER = f"[^{_PLAIN}]"

# One look at everybody.
EXAMPLES_SQL = """
SELECT CASE WHEN max(size) > min(size) THEN -(max(ARRAY[size, -id]))[2] END,
       min(id) FILTER (WHERE missing AND numbered),
       min(id) FILTER (WHERE octet_length(given) > char_length(given) AND given ~ %(chinese)s),
       min(id) FILTER (WHERE in_sms ~ %(dearer)s)
FROM (
    SELECT c.id, {given} AS given, {in_sms} AS in_sms, char_length({given}) AS size, {missing} AS missing,
           c.msisdn IS NOT NULL AS numbered
    FROM ({members}) m JOIN contacts_contact c ON c.id = m.contact_id OFFSET 0) tried
"""


@dataclass(frozen=True, slots=True)
class Examples:
    """One person of each kind, by contact id, the first of several; None: nobody is like that."""

    longest: int | None = None  # all that the texts ask for taken together; None also if all are as long
    missing: int | None = None  # has a number, but no value for something that a text asks for
    chinese: int | None = None  # Chinese letters stand in what the texts ask for
    dearer: int | None = None  # the SMS text would do with plain letters, but for their values


@dataclass(frozen=True, slots=True)
class Look:
    """The question put to the database: the same one has the same answer while the people stay as they are."""

    sql: str
    params: dict[str, Any]


def look_for(campaign: Campaign) -> Look | None:
    """Over everyone in the lists; None: no text has a placeholder, so all get the same and nobody is an example."""
    bodies = Bodies.of_campaign(campaign).of
    names = list(dict.fromkeys(name for body in bodies.values() for name in text.placeholders(body)))
    if not names:
        return None
    members, params = everyone_sql(campaign)
    sql = EXAMPLES_SQL.format(
        members=members,
        given=_together(names),
        in_sms=_together(_names_of_plain_sms(bodies.get(Lane.SMS, ""))),
        missing=" OR ".join(f"{_value(name)} = ''" for name in names),
    )
    return Look(sql, params | {"chinese": CHINESE, "dearer": DEARER})


def find_examples(look: Look | None) -> Examples:
    """One pass over all of them: about 2 µs for each."""
    if look is None:
        return Examples()
    with database.cursor() as cursor:
        cursor.execute(look.sql, look.params)
        return Examples(*cursor.fetchone())


def _names_of_plain_sms(body: str) -> list[str]:
    """None if its own letters make it dear for everybody."""
    return [] if any(letter.forces_ucs2 for letter in text.costly_letters(body)) else text.placeholders(body)


def _together(names: Iterable[str]) -> str:
    return " || ".join(_value(name) for name in names) or "''"


def _value(name: str) -> str:
    """A placeholder's name is its column's or its field's; it has no letters that SQL would read."""
    return f"COALESCE(c.{name}, '')" if name in ("name", "msisdn") else f"COALESCE(c.fields->>'{name}', '')"

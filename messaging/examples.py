"""People of a draft's audience who try its texts most: whose values are the longest, and who lacks one."""

from django.db import connection as database

from messaging import text
from messaging.facts import Bodies
from messaging.models import Campaign
from messaging.planning import MEMBERS_SQL

VALUES = """
SELECT COALESCE(CASE n WHEN 'name' THEN c.name WHEN 'msisdn' THEN c.msisdn ELSE c.fields->>n END, '') AS value
FROM unnest(%(names)s::text[]) n
"""
PEOPLE = f"SELECT c.id FROM ({MEMBERS_SQL}) m JOIN contacts_contact c ON c.id = m.contact_id"
LONGEST_SQL = f"{PEOPLE} ORDER BY (SELECT sum(length(value)) FROM ({VALUES}) v) DESC, c.id LIMIT 1"
LACKING_SQL = f"{PEOPLE} WHERE EXISTS (SELECT 1 FROM ({VALUES}) v WHERE value = '') ORDER BY c.id LIMIT 1"


def longest(campaign: Campaign) -> int | None:
    """Whoever has the longest values, all that the texts ask for taken together; None in an empty audience."""
    return _one(LONGEST_SQL, campaign)


def lacking(campaign: Campaign) -> int | None:
    """The first who has no value for something that a text asks for; None if everybody has all."""
    return _one(LACKING_SQL, campaign)


def names_asked(campaign: Campaign) -> list[str]:
    """The placeholders of all its texts, each once."""
    bodies = Bodies.of_campaign(campaign).of.values()
    return list(dict.fromkeys(name for body in bodies for name in text.placeholders(body)))


def _one(sql: str, campaign: Campaign) -> int | None:
    """The contact's id."""
    with database.cursor() as cursor:
        cursor.execute(sql, {"campaign": campaign.pk, "names": names_asked(campaign)})
        row = cursor.fetchone()
        return row and row[0]

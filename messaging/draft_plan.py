"""A draft's flight plan person by person: nothing is written yet, so the rule is asked about the lists as they are."""

from __future__ import annotations

from datetime import datetime

from django.db import connection as database
from django.db.models import Exists, OuterRef

from contacts.models import Contact, ListMembership
from messaging.models import Campaign
from messaging.planning import MEMBERS_SQL, PlanRow, plan_rows, quiet_verdict
from messaging.policy import SENDING_LANES
from messaging.rule_sql import rule_sql

STRETCHES = (500, 10_000, 0)  # people decided at once while looking for a page of the plan; 0: all the rest
BEYOND = 2**63 - 1
UNPLANNED_SQL = """
SELECT count(DISTINCT m.contact_id) FROM contacts_listmembership m
JOIN messaging_campaignaudience a ON a.contact_list_id = m.contact_list_id AND a.campaign_id = %(campaign)s
WHERE NOT a.excluded AND NOT EXISTS (
    SELECT 1 FROM messaging_message p
    WHERE p.campaign_id = %(campaign)s AND p.fallback_of_id IS NULL AND p.contact_id = m.contact_id)
AND NOT EXISTS (
    SELECT 1 FROM contacts_listmembership x
    JOIN messaging_campaignaudience e ON e.contact_list_id = x.contact_list_id AND e.campaign_id = %(campaign)s
    WHERE e.excluded AND x.contact_id = m.contact_id)
"""
STRETCH_SQL = """
SELECT contact_id FROM (
    SELECT DISTINCT m.contact_id FROM messaging_campaignaudience a CROSS JOIN LATERAL (
        SELECT contact_id FROM contacts_listmembership
        WHERE contact_list_id = a.contact_list_id AND contact_id > %(after)s ORDER BY contact_id LIMIT %(size)s) m
    WHERE a.campaign_id = %(campaign)s AND NOT a.excluded) m
ORDER BY contact_id OFFSET %(size)s - 1 LIMIT 1
"""


def person_at(campaign: Campaign, position: int) -> Contact | None:
    """The audience's person at a position counted from 1, in the order of the plan; None past its end."""
    near = _end_of_stretch(campaign, 0, 2 * position + STRETCHES[0])
    found = _at(campaign, position, near) if near else None
    return Contact.objects.filter(pk=found or _at(campaign, position, BEYOND) or 0).first()


def _at(campaign: Campaign, position: int, until: int) -> int | None:
    sql = f"""SELECT contact_id FROM ({MEMBERS_SQL}) m WHERE contact_id <= %(until)s
              ORDER BY 1 OFFSET %(skip)s LIMIT 1"""
    return _one(sql, campaign, until=until, skip=position - 1)


def position_of(campaign: Campaign, contact_id: int) -> int:
    """Where in the order of the plan somebody stands, counted from 1."""
    return _one(f"SELECT count(*) FROM ({MEMBERS_SQL}) m WHERE contact_id <= %(last)s", campaign, last=contact_id) or 0


def unplanned(campaign: Campaign) -> int:
    """How many of the lists' people have no row in the plan that was written."""
    return _one(UNPLANNED_SQL, campaign) or 0


def _one(sql: str, campaign: Campaign, **params: int) -> int | None:
    with database.cursor() as cursor:
        cursor.execute(sql, params | {"campaign": campaign.pk})
        row = cursor.fetchone()
        return row and row[0]


def people(
    campaign: Campaign, at: datetime, *, lane: str = "", reason: str = "", after: int = 0, limit: int = 25
) -> list[PlanRow]:
    """The next lines of the plan by contact id, decided for `at`; only those with this lane and reason, if given."""
    ids = _matching(campaign, at, lane, reason, after, limit)
    contacts = Contact.objects.in_bulk(ids)
    return plan_rows(campaign, [contacts[pk] for pk in ids if pk in contacts], at)


def search(campaign: Campaign, at: datetime, words: str, *, after: int = 0, limit: int = 25) -> list[PlanRow]:
    """The lines of those whose name or number has these words, whatever their lane, by contact id."""
    memberships = ListMembership.objects.values("contact")
    lists = {value: campaign.audience.filter(excluded=value).values("contact_list") for value in (False, True)}
    left_out = Exists(memberships.filter(contact=OuterRef("pk"), contact_list__in=lists[True]))
    listed = Contact.objects.filter(~left_out, pk__in=memberships.filter(contact_list__in=lists[False]), pk__gt=after)
    return plan_rows(campaign, list(listed.search(words).order_by("pk")[:limit]), at)


def _matching(campaign: Campaign, at: datetime, lane: str, reason: str, after: int, limit: int) -> list[int]:
    """Decided stretch by stretch, each longer than the last: what most people have is found in the first."""
    found: list[int] = []
    for size in STRETCHES:
        until = _end_of_stretch(campaign, after, size) if size else None
        found += _in_stretch(campaign, at, lane, reason, after, until, limit - len(found))
        if until is None or len(found) == limit:
            break
        after = until
    return found


def _end_of_stretch(campaign: Campaign, after: int, size: int) -> int | None:
    """The listed person so many places on, whether or not another list leaves them out; None if there are fewer."""
    return _one(STRETCH_SQL, campaign, after=after, size=size)


def _in_stretch(
    campaign: Campaign, at: datetime, lane: str, reason: str, after: int, until: int | None, limit: int
) -> list[int]:
    members = f"SELECT contact_id FROM ({MEMBERS_SQL}) m WHERE contact_id > %(after)s AND contact_id <= %(until)s"
    rule = rule_sql(campaign, at, members, campaign=campaign.pk, after=after, until=BEYOND if until is None else until)
    wanted = f"""SELECT contact_id FROM ({rule.sql}) d
        WHERE (%(lanes)s::text[] IS NULL OR lane = ANY (%(lanes)s)) AND (%(reason)s = '' OR reason = %(reason)s)
        ORDER BY contact_id LIMIT %(limit)s"""
    lanes, reason = _before_quiet_hours(campaign, at, lane, reason)
    with database.cursor() as cursor:
        cursor.execute(wanted, rule.params | {"lanes": lanes, "reason": reason, "limit": limit})
        return [row[0] for row in cursor.fetchall()]


def _before_quiet_hours(campaign: Campaign, at: datetime, lane: str, reason: str) -> tuple[list[str] | None, str]:
    """What the SQL rule, which leaves quiet hours out, calls this lane and reason."""
    hold = quiet_verdict(campaign, at)
    sending = [str(one) for one in SENDING_LANES]
    if hold and lane == hold.lane and reason == hold.reason:
        return sending, ""
    if hold and lane in sending:
        return [], ""
    return [lane] if lane else None, reason

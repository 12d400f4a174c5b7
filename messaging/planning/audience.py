"""Who is in a campaign's lists, and who of them it leaves out."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import connection as database
from django.db.models import Count

from messaging.models import AudienceRemoval, Campaign, Message

MEMBERS_SQL = """
SELECT DISTINCT m.contact_id FROM contacts_listmembership m
JOIN messaging_campaignaudience a ON a.contact_list_id = m.contact_list_id AND a.campaign_id = %(campaign)s
WHERE NOT a.excluded AND NOT EXISTS (
    SELECT 1 FROM contacts_listmembership x
    JOIN messaging_campaignaudience e ON e.contact_list_id = x.contact_list_id AND e.campaign_id = %(campaign)s
    WHERE e.excluded AND x.contact_id = m.contact_id)
"""
MEMBERS_OF_SQL = "SELECT contact_id FROM contacts_listmembership WHERE contact_list_id = ANY (%({lists})s)"
AUDIENCE_SQL = """
SELECT count(*), count(*) FILTER (WHERE x.contact_id IS NOT NULL),
       count(DISTINCT m.contact_id) FILTER (WHERE x.contact_id IS NULL)
FROM contacts_listmembership m
JOIN messaging_campaignaudience a ON a.contact_list_id = m.contact_list_id AND a.campaign_id = %(campaign)s
LEFT JOIN (
    SELECT DISTINCT x.contact_id FROM contacts_listmembership x
    JOIN messaging_campaignaudience e ON e.contact_list_id = x.contact_list_id AND e.campaign_id = %(campaign)s
    WHERE e.excluded) x ON x.contact_id = m.contact_id
WHERE NOT a.excluded
"""


@dataclass(frozen=True, slots=True)
class AudienceCounts:
    """listed = removed + audience, always."""

    listed: int
    audience: int
    removed_by_reason: dict[str, int]

    @property
    def removed(self) -> int:
        return sum(self.removed_by_reason.values())


def everyone_sql(campaign: Campaign) -> tuple[str, dict[str, list[int]]]:
    """What MEMBERS_SQL gives, for reading all at once: the lists are named, so the planner knows how many that is.

    Of MEMBERS_SQL's anti-join of a table with itself it expects one row, and then looks up person by person.
    """
    lists: dict[bool, list[int]] = {False: [], True: []}
    for contact_list, excluded in campaign.audience.order_by("contact_list").values_list("contact_list", "excluded"):
        lists[excluded].append(contact_list)
    members, params = MEMBERS_OF_SQL.format(lists="included"), {"included": lists[False]}
    if len(lists[False]) != 1:
        members = members.replace("SELECT", "SELECT DISTINCT", 1)
    if lists[True]:
        members += " EXCEPT " + MEMBERS_OF_SQL.format(lists="excluded")
        params["excluded"] = lists[True]
    return members, params


def audience_counts(campaign: Campaign, *, planned: int | None = None) -> AudienceCounts:
    """Listed, removed and audience: of the sealed plan if there is one, else of the lists as they are now.

    `planned` spares counting the plan's rows again.
    """
    if campaign.plan_sealed_at:
        removed = _removed_from_plan(campaign)
        people = Message.objects.filter(campaign=campaign).counted().count() if planned is None else planned
        return AudienceCounts(people + sum(removed.values()), people, removed)
    with database.cursor() as cursor:
        cursor.execute(AUDIENCE_SQL, {"campaign": campaign.pk})
        listed, excluded, audience = cursor.fetchone()
    removed = {"duplicate": listed - excluded - audience, "excluded": excluded}
    return AudienceCounts(listed, audience, {reason: rows for reason, rows in removed.items() if rows})


def _removed_from_plan(campaign: Campaign) -> dict[str, int]:
    rows = AudienceRemoval.objects.filter(campaign=campaign).order_by().values_list("reason")
    return dict(rows.annotate(rows=Count("*")))

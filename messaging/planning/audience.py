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
LISTED_SQL = """
SELECT count(*), count(x.contact_id) FROM contacts_listmembership m
LEFT JOIN (SELECT DISTINCT contact_id FROM contacts_listmembership WHERE contact_list_id = ANY (%(excluded)s)) x
       ON x.contact_id = m.contact_id
WHERE m.contact_list_id = ANY (%(included)s)
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
    lists = _lists(campaign)
    members = MEMBERS_OF_SQL.format(lists="included")
    if len(lists["included"]) != 1:
        members = members.replace("SELECT", "SELECT DISTINCT", 1)
    if lists["excluded"]:
        members += " EXCEPT " + MEMBERS_OF_SQL.format(lists="excluded")
    return members, lists


def _lists(campaign: Campaign) -> dict[str, list[int]]:
    lists: dict[str, list[int]] = {"included": [], "excluded": []}
    for contact_list, excluded in campaign.audience.order_by("contact_list").values_list("contact_list", "excluded"):
        lists["excluded" if excluded else "included"].append(contact_list)
    return lists


def audience_counts(campaign: Campaign, *, people: int | None = None) -> AudienceCounts:
    """Listed, removed and audience: of the sealed plan if there is one, else of the lists as they are now.

    `people` spares counting the audience again.
    """
    if campaign.plan_sealed_at:
        removed = _removed_from_plan(campaign)
        audience = Message.objects.filter(campaign=campaign).counted().count() if people is None else people
        return AudienceCounts(audience + sum(removed.values()), audience, removed)
    audience = audience_size(campaign) if people is None else people
    lists = _lists(campaign)
    if len(lists["included"]) == 1 and not lists["excluded"]:  # it has nobody twice
        return AudienceCounts(audience, audience, {})
    with database.cursor() as cursor:
        cursor.execute(LISTED_SQL, lists)
        listed, excluded = cursor.fetchone()
    listed = max(listed, excluded + audience)  # two statements: somebody may have left a list between them
    removed = {"duplicate": listed - excluded - audience, "excluded": excluded}
    return AudienceCounts(listed, audience, {reason: rows for reason, rows in removed.items() if rows})


def audience_size(campaign: Campaign) -> int:
    """How many people the lists of a draft make, as they are now."""
    members, lists = everyone_sql(campaign)
    with database.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM ({members}) m", lists)
        (people,) = cursor.fetchone()
    return int(people)


def _removed_from_plan(campaign: Campaign) -> dict[str, int]:
    rows = AudienceRemoval.objects.filter(campaign=campaign).order_by().values_list("reason")
    return dict(rows.annotate(rows=Count("*")))

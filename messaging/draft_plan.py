"""A draft's flight plan person by person: nothing is written yet, so the rule is asked about the lists as they are."""

from __future__ import annotations

from datetime import datetime

from django.db import connection as database
from django.db.models import QuerySet

from contacts.models import Contact, ListMembership
from messaging.models import Campaign
from messaging.planning import MEMBERS_SQL, PlanRow, plan_rows, quiet_verdict
from messaging.policy import SENDING_LANES
from messaging.rule_sql import rule_sql


def audience(campaign: Campaign) -> QuerySet[Contact]:
    """Everyone in an included list and in no excluded one, each once."""
    rows = campaign.audience.all()
    listed = ListMembership.objects.filter(contact_list__in=rows.filter(excluded=False).values("contact_list"))
    left_out = ListMembership.objects.filter(contact_list__in=rows.filter(excluded=True).values("contact_list"))
    return Contact.objects.filter(pk__in=listed.values("contact")).exclude(pk__in=left_out.values("contact"))


def person_at(campaign: Campaign, position: int) -> Contact | None:
    """The audience's person at a position counted from 1, in the order of the plan; None past its end."""
    return audience(campaign).order_by("pk")[position - 1 : position].first()


def position_of(campaign: Campaign, contact_id: int) -> int:
    """Where in the order of the plan somebody stands, counted from 1."""
    return audience(campaign).filter(pk__lte=contact_id).count()


def people(
    campaign: Campaign, at: datetime, *, lane: str = "", reason: str = "", after: int = 0, limit: int = 25
) -> list[PlanRow]:
    """The next lines of the plan by contact id, decided for `at`; only those with this lane and reason, if given."""
    ids = _matching(campaign, at, lane, reason, after, limit)
    contacts = Contact.objects.in_bulk(ids)
    return plan_rows(campaign, [contacts[pk] for pk in ids if pk in contacts], at)


def _matching(campaign: Campaign, at: datetime, lane: str, reason: str, after: int, limit: int) -> list[int]:
    members = f"SELECT contact_id FROM ({MEMBERS_SQL}) m WHERE contact_id > %(after)s"
    rule = rule_sql(campaign, at, members, campaign=campaign.pk, after=after)
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

"""The start of a campaign costs each person once, whatever the planner believes of a table that was just filled."""

from __future__ import annotations

import json

import pytest
from django.db import connection as database
from django.db import transaction
from django.test.utils import CaptureQueriesContext

from contacts import statistics
from contacts.models import Contact
from messaging import campaigns
from messaging.clock import db_now
from tests.factories import make_approved_campaign, make_user

PEOPLE = 1_000


def compared_in_vain(node: dict) -> int:
    """Pairs of rows that a plan's joins looked at and threw away."""
    removed = node.get("Rows Removed by Join Filter", 0) * node["Actual Loops"]
    return removed + sum(compared_in_vain(child) for child in node.get("Plans", []))


@pytest.mark.django_db
def test_nobody_is_compared_with_everybody(connection):
    people = Contact.objects.bulk_create(Contact(msisdn=f"60123{n:06}", name=f"Person {n}") for n in range(PEOPLE))
    statistics.refresh(Contact)
    campaign = make_approved_campaign(connection, people)
    campaigns.launch_campaign(campaign=campaign, user=make_user(role="approver"), now=db_now())
    with CaptureQueriesContext(database) as captured, transaction.atomic():
        assert campaigns.start_chunk(campaign.pk, db_now()) == PEOPLE
        transaction.set_rollback(True)
    (chunk,) = [query["sql"] for query in captured if "WITH chunk" in query["sql"]]
    with database.cursor() as cursor:
        cursor.execute("DELETE FROM pg_statistic WHERE starelid = 'messaging_message'::regclass")
        cursor.execute("UPDATE pg_class SET reltuples = 1, relpages = 1 WHERE oid = 'messaging_message'::regclass")
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {chunk}")
        (plans,) = cursor.fetchone()
    (plan,) = plans if isinstance(plans, list) else json.loads(plans)
    assert compared_in_vain(plan["Plan"]) == 0

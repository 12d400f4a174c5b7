"""What a gate remembers of the one before it, and that nothing remembered outlives a change of its row."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection as database
from django.db import transaction

from messaging import sending
from messaging.clock import db_now
from messaging.models import Campaign, Connection, Message, TemplateVersion
from messaging.sending.claim import Marks, claim
from messaging.sending.due import Due, lock_due
from messaging.sending.sources import load_sources
from tests.factories import make_contact, make_running_campaign

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def campaign(connection):
    return make_running_campaign(connection, [make_contact(name="Aminah"), make_contact(name="Bala")])


@pytest.fixture
def due(connection, campaign) -> list[Due]:
    claimed = claim(connection, limit=10, marks=Marks())
    with transaction.atomic():
        return lock_due(claimed.ids, claimed.token)


def test_what_has_not_changed_is_not_read_again(connection, due, django_assert_num_queries):
    load_sources(due, connection.pk)
    first = due[0].campaign
    with django_assert_num_queries(1):
        load_sources(due, connection.pk)
    assert due[0].campaign is due[1].campaign is first
    assert first.template_version.body == "Dear {{name}}"


@pytest.mark.parametrize(
    ("model", "change", "seen"),
    [
        (Connection, {"rate_per_s": 7}, lambda one: one.connection.rate_per_s),
        (Campaign, {"state": "paused"}, lambda one: one.campaign.state),
        (TemplateVersion, {"state": "retired"}, lambda one: one.campaign.template_version.state),
    ],
)
def test_a_change_of_a_row_is_seen_by_the_next_gate(connection, due, model, change, seen):
    load_sources(due, connection.pk)
    model.objects.update(**change)
    load_sources(due, connection.pk)
    assert [seen(one) for one in due] == list(change.values()) * 2


def test_a_change_that_was_rolled_back_is_not_remembered(connection, due):
    with transaction.atomic():
        Campaign.objects.update(state="paused")
        load_sources(due, connection.pk)
        assert due[0].campaign.state == "paused"
        transaction.set_rollback(True)
    load_sources(due, connection.pk)
    assert due[0].campaign.state == "running"


def test_another_session_reads_everything_again(connection, due):
    load_sources(due, connection.pk)
    first = due[0].campaign
    database.close()
    load_sources(due, connection.pk)
    assert due[0].campaign is not first


def test_a_text_that_is_changed_after_the_first_gate_does_not_leave(connection, campaign, twin):
    later = Message.objects.filter(campaign=campaign).latest("pk")
    Message.objects.filter(pk=later.pk).update(due_at=db_now() + timedelta(hours=1))
    assert sending.drain(connection.pk) == 1
    with database.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # a superuser who switches the triggers off
        cursor.execute("UPDATE messaging_templateversion SET body = 'Buy {{name}}'")
        cursor.execute("SET session_replication_role = DEFAULT")
    Message.objects.filter(pk=later.pk).update(due_at=None)
    assert sending.drain(connection.pk) == 0
    campaign.refresh_from_db()
    assert campaign.state == "paused"
    assert len(twin.ledger()) == 1

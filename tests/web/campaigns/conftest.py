from datetime import timedelta

import pytest

from contacts import consent
from messaging import approval, campaigns, planning
from messaging.clock import db_now
from tests.factories import make_contact, make_conversation, make_list
from tests.web.campaigns.steps import fresh, write


@pytest.fixture
def people(connection):
    """Five people: one wrote lately, one opted out, one has no name."""
    found = [make_contact(name=name) for name in ("Aminah", "Tan Wei Ling", "Muthu", "Siti", "")]
    make_conversation(found[0], connection, last_mo_at=db_now() - timedelta(hours=1))
    consent.opt_out(contact=found[3], source="person", words="STOP", now=db_now())
    return found


@pytest.fixture
def klang(people):
    return make_list(people, "Klang parents")


@pytest.fixture
def draft(users, connection, klang):
    return write(users["composer"], connection, [klang])


@pytest.fixture
def in_review(draft, users):
    campaigns.submit_campaign(campaign=draft, user=users["composer"], now=db_now())
    planning.materialise(draft.pk, db_now())
    return fresh(draft)


@pytest.fixture
def approved(in_review, users):
    arguments = {"user": users["approver"], "plan_hash": in_review.plan_hash, "now": db_now()}
    approval.approve_campaign(campaign=in_review, **arguments)
    return fresh(in_review)


@pytest.fixture
def running(approved, users):
    campaigns.launch_campaign(campaign=approved, user=users["approver"], now=db_now())
    campaigns.start(approved.pk, db_now())
    return fresh(approved)

"""The reads benchmark: both sides count the same people, and the house is as large as it was asked for."""

import pytest

from bench.reads import plan
from bench.reads.rows import EACH, House
from contacts.models import Contact
from messaging.clock import db_now
from messaging.models import Message, RequestRecipient

pytestmark = pytest.mark.django_db(transaction=True)


def test_the_bare_statement_gives_everyone_the_lane_that_the_rule_gives():
    house = House()
    house.grow(600, 100)
    for text in plan.TEXTS.values():
        campaign, at = house.draft(text), db_now()
        ours = plan.by_rule(campaign, at)
        assert ours == plan.by_bare_sql(house, campaign, at)
        assert set(ours) == {"session", "template", "sms", "skipped"}
        assert ours.total() == 600


def test_a_house_grows_by_what_is_missing():
    house = House()
    house.grow(40, 105)
    house.grow(90, 700)
    assert Contact.objects.count() == 90
    assert Message.objects.count() == 700
    assert Message.objects.filter(contact=house.first + 69).count() == EACH
    sent = Message.objects.filter(direction="mt", send_state="accepted")
    assert RequestRecipient.objects.count() == sent.count() > 400

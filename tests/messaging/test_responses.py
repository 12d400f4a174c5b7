"""Whoever did something after a campaign reached them is counted for it, and nobody else."""

from datetime import timedelta

import pytest

from contacts import consent
from contacts.models import ConsentEvent
from messaging import inbox, responses
from messaging.clock import db_now
from tests.factories import (
    make_connection,
    make_contact,
    make_conversation,
    make_mo,
    make_mt,
    make_request,
    make_running_campaign,
    make_user,
)

pytestmark = pytest.mark.django_db
SECOND = timedelta(seconds=1)
NAMES = ("before", "after", "elsewhere", "silent", "undelivered", "unsent")


@pytest.fixture
def connection():
    return make_connection()


@pytest.fixture
def campaign(connection):
    """Everybody but "unsent" was reached; what "undelivered" got did not arrive."""
    campaign = make_running_campaign(connection, [make_contact(name=name) for name in NAMES])
    left = campaign.messages.exclude(contact__name="unsent")
    left.update(lane="template")
    make_request(list(left), ref="r1", text="Dear you")
    left.filter(contact__name="undelivered").update(delivery_state="undelivered")
    return campaign


def reached_at(campaign):
    return campaign.messages.get(contact__name="after").accepted_at


def of(campaign, name):
    return campaign.messages.get(contact__name=name).contact


def names(campaign, did):
    return set(campaign.messages.filter(did(campaign)).values_list("contact__name", flat=True))


def test_a_reply_by_sms_is_one_too_though_it_opens_no_window(campaign, connection):
    at = reached_at(campaign)
    talks = {}
    for name, where, when in (
        ("after", connection, at + SECOND), ("undelivered", connection, at + SECOND),
        ("before", connection, at - SECOND), ("elsewhere", make_connection(), at + SECOND),
    ):  # fmt: skip
        make_mo(connection=where, contact=of(campaign, name), channel="sms", timeline_at=when)
        talks[name] = make_conversation(of(campaign, name), where, channel="sms", last_message_at=when)
    silent = make_conversation(of(campaign, "silent"), connection, channel="sms", last_message_at=at + SECOND)
    make_mt(connection=connection, contact=silent.contact, channel="sms", timeline_at=at + SECOND)  # from us
    assert names(campaign, responses.wrote) == {"after"}
    assert set(responses.talks(campaign)) == {talks["after"]}


def test_replies_are_of_those_who_wrote_to_this_connection_after_it_reached_them(campaign, connection):
    at = reached_at(campaign)
    talks = {
        name: make_conversation(of(campaign, name), connection, last_mo_at=at + SECOND)
        for name in ("after", "undelivered", "unsent")
    }
    make_conversation(of(campaign, "before"), connection, last_mo_at=at - SECOND)
    make_conversation(of(campaign, "elsewhere"), make_connection(), last_mo_at=at + SECOND)
    make_conversation(of(campaign, "silent"), connection)
    make_conversation(make_contact(), connection, last_mo_at=at + SECOND)
    assert names(campaign, responses.wrote) == {"after"}
    listed = inbox.conversations(user=make_user(), campaign=campaign).rows
    assert [row.conversation for row in listed] == [talks["after"]]


def test_somebody_who_wrote_by_whatsapp_and_sms_is_one_person(campaign, connection):
    for channel in ("whatsapp", "sms"):
        make_conversation(of(campaign, "after"), connection, channel=channel, last_mo_at=db_now())
    assert campaign.messages.filter(responses.wrote(campaign)).count() == 1


def test_opt_outs_are_of_those_who_opted_out_after_it_reached_them(campaign):
    at = reached_at(campaign)
    for name, when in (("before", at - SECOND), ("after", at + SECOND), ("undelivered", at + SECOND)):
        consent.opt_out(contact=of(campaign, name), source="person", words="STOP", now=when)
    consent.opt_in(contact=of(campaign, "silent"), source="person", words="START", now=at + SECOND)
    assert ConsentEvent.objects.count() == 4
    assert names(campaign, responses.opted_out) == {"after"}

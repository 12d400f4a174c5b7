from datetime import timedelta

import pytest
from django.urls import reverse

from contacts.models import ContactImport
from messaging import approval, campaigns, planning
from messaging.clock import db_now
from messaging.models import Campaign, DeliveryNotice, Message
from messaging.statuses import Sums
from messaging.web.connections.figures import last_signs
from messaging.web.dashboard import progress
from tests.factories import (
    make_contact,
    make_conversation,
    make_draft,
    make_list,
    make_mo,
    make_mt,
    make_raw,
    make_running_campaign,
    make_version,
)

pytestmark = pytest.mark.django_db


def test_a_running_campaign_shows_sums_that_close_and_is_asked_for_every_second(connection, sign_in):
    campaign = make_running_campaign(connection, [make_contact(name="Aminah") for _each in range(3)])
    shown = sign_in("viewer").get("/").content.decode()
    assert campaign.name in shown
    assert 'hx-trigger="every 1s"' in shown
    fragment = sign_in("viewer").get(reverse("dashboard_running"), headers={"HX-Request": "true"})
    [(_campaign, bar)] = fragment.context["live"]
    assert bar.total == Message.objects.filter(campaign=campaign).count() == 3
    assert "<main" not in fragment.content.decode()


def test_nothing_running_is_asked_for_seldom(sign_in):
    assert 'hx-trigger="every 10s"' in sign_in("viewer").get("/").content.decode()


def test_every_count_is_in_exactly_one_piece_of_the_bar():
    names = list(Sums.__dataclass_fields__)
    sums = Sums(**{name: 2**place for place, name in enumerate(names)})
    assert progress(sums).total == sums.audience


def test_a_campaign_waits_on_a_stopped_connection_in_words(connection, sign_in):
    make_running_campaign(connection, [make_contact(name="Aminah")])
    type(connection).objects.update(state="no_credit")
    assert "Waiting: Klang is stopped" in sign_in("viewer").get("/").content.decode()


def test_each_role_sees_what_waits_for_it_alone(connection, users, sign_in):
    make_version("Hello")
    make_conversation(make_contact(), connection, last_mo_at=db_now(), unread=2, asks_to_stop=True)
    ContactImport.objects.create(
        file="a", file_name="klang.csv", bad=3, state="done", created_by=users["composer"], finished_at=db_now()
    )
    shown = {role: sign_in(role).get("/").content.decode() for role in ("approver", "agent", "composer", "viewer")}
    assert "1 template waits for your approval" in shown["approver"]
    assert "1 person waits for an answer" in shown["agent"]
    assert "may be asking us to stop" in shown["agent"]
    assert "klang.csv: 3 rows did not go in" in shown["composer"]
    assert "Nothing waits for you" in shown["viewer"]


def test_whoever_asked_for_approval_sees_that_it_still_waits(connection, users, sign_in):
    campaign = make_draft(connection, [make_list([make_contact(name="Aminah")])])
    campaigns.submit_campaign(campaign=campaign, user=users["composer"], now=db_now())
    shown = {role: sign_in(role).get("/").content.decode() for role in ("composer", "admin")}
    assert reverse("campaign_detail", args=[campaign.public_id]) in shown["composer"].partition("asked-title")[2]
    assert "Waiting for an approver" not in shown["admin"]


def test_a_campaign_in_review_leads_its_approver_to_it(connection, users, sign_in):
    campaign = make_draft(connection, [make_list([make_contact(name="Aminah")])], user=users["composer"])
    campaigns.submit_campaign(campaign=campaign, user=users["composer"], now=db_now())
    shown = sign_in("approver").get("/").content.decode()
    assert "1 campaign waits for your approval" in shown
    assert reverse("campaign_detail", args=[campaign.public_id]) in shown
    assert "waits for your approval" not in sign_in("composer").get("/").content.decode()


def test_an_approved_campaign_waits_for_those_who_may_start_it(connection, users, sign_in):
    campaign = make_draft(connection, [make_list([make_contact(name="Aminah")])], user=users["composer"])
    campaigns.submit_campaign(campaign=campaign, user=users["composer"], now=db_now())
    planning.materialise(campaign.pk, db_now())
    campaign.refresh_from_db()
    arguments = {"campaign": campaign, "user": users["approver"], "now": db_now()}
    approval.approve_campaign(plan_hash=campaign.plan_hash, **arguments)
    for role in ("composer", "approver"):
        shown = sign_in(role).get("/").content.decode()
        assert "1 approved campaign waits for its start" in shown
        assert reverse("campaign_detail", args=[campaign.public_id]) in shown
    assert "Nothing waits for you" in sign_in("viewer").get("/").content.decode()
    campaigns.launch_campaign(**arguments)
    assert "waits for its start" not in sign_in("composer").get("/").content.decode()


def test_a_returned_campaign_leads_its_writer_to_it_until_somebody_goes_on_with_it(connection, users, sign_in):
    several = [make_draft(connection, [make_list([make_contact()])], user=users["composer"]) for _each in range(2)]
    now = db_now()
    for campaign in several:
        campaigns.submit_campaign(campaign=campaign, user=users["composer"], now=now)
        approval.return_campaign(campaign=campaign, user=users["approver"], reason="Name the hall.", now=now)
    client = sign_in("composer")
    shown = client.get("/").content.decode()
    assert "2 campaigns came back to you" in shown
    assert reverse("campaign_list") + "?state=draft" in shown
    assert "came back to you" not in sign_in("approver").get("/").content.decode(), "it is not theirs"
    first = Campaign.objects.get(pk=several[0].pk)
    arguments = {"include": [], "exclude": [], "sms_text": "Come to the hall"}
    campaigns.edit_campaign(campaign=first, user=users["composer"], version=first.version, now=db_now(), **arguments)
    assert "1 campaign came back to you" in client.get("/").content.decode()


def test_an_sms_is_the_last_incoming_message_too_and_our_own_is_not(connection):
    by_sms = make_mo(connection=connection, contact=make_contact(), channel="sms")
    make_conversation(make_contact(), connection, last_mo_at=db_now() - timedelta(hours=5))
    assert last_signs([connection])[connection.pk].mo_at == by_sms.timeline_at
    make_mt(connection=connection, contact=by_sms.contact, channel="sms")
    assert last_signs([connection])[connection.pk].mo_at == by_sms.timeline_at


def test_an_agent_is_told_whose_window_closes_while_they_wait(connection, sign_in):
    for hours, unread in ((23, 1), (23, 0), (5, 1)):
        at = db_now() - timedelta(hours=hours)
        make_conversation(make_contact(), connection, last_mo_at=at, unread=unread)
    shown = sign_in("agent").get("/").content.decode()
    assert "Less than 2 h left to answer 1 person in free text" in shown
    assert f"{reverse('conversation_list')}?view=closing" in shown
    assert "end within 2 h" not in sign_in("viewer").get("/").content.decode()


def test_the_last_signs_are_those_read_or_still_to_be_read(connection):
    hour = timedelta(hours=1)
    make_conversation(make_contact(), connection, last_mo_at=db_now() - 5 * hour)
    raw = make_raw(connection, "dn", received_at=db_now() - 3 * hour, digested_at=db_now())
    read = DeliveryNotice.objects.create(raw=raw, connection=connection, received_at=raw.received_at, status="SENT")
    assert last_signs([connection])[connection.pk].dn_at == read.received_at
    waiting = make_raw(connection, "mo", received_at=db_now() - hour)
    assert last_signs([connection])[connection.pk].mo_at == waiting.received_at

"""What became of a campaign and of everyone in it."""

import pytest
from django.urls import reverse

from contacts import consent
from messaging import campaigns
from messaging.clock import db_now
from messaging.models import Campaign, Connection, Conversation
from tests.factories import make_contact, make_request, make_running_campaign
from tests.web.campaigns.steps import page, settle, url

pytestmark = pytest.mark.django_db


def test_what_was_cancelled_before_its_launch_has_a_report_without_answers(approved, users, sign_in):
    campaigns.cancel_campaign(campaign=approved, user=users["approver"], now=db_now())
    assert sign_in("viewer").get(url(approved), {"then": "wrote"}).context["answered"] == {"wrote": 0, "opted_out": 0}


def test_the_bars_always_add_up(running, sign_in):
    settle(running, delivered=1, undelivered=1)
    client = sign_in("viewer")
    audience, submitted = client.get(url(running)).context["bars"]
    assert audience.total == 5
    assert submitted.total == 2
    assert audience.equation == "5 = submitted 2 + to send 1 + skipped 2"
    assert submitted.equation == "2 = delivered 1 + not delivered 1"
    assert "2 of 3 submitted" in page(client, running)


def test_failures_say_what_to_do_and_lead_to_their_people(running, sign_in):
    settle(running, delivered=1, undelivered=1)
    client = sign_in("viewer")
    (group,) = client.get(url(running)).context["failures"]
    assert str(group.words) == "Check the number"
    assert "outcome=undelivered&amp;code=505" in page(client, running)
    assert len(client.get(url(running), {"outcome": "undelivered", "code": "505"}).context["page"].rows) == 1


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ({}, 5),
        ({"outcome": "delivered"}, 1),
        ({"outcome": "submitted"}, 2),
        ({"outcome": "to_send"}, 1),
        ({"outcome": "skipped"}, 2),
        ({"reason": "opted_out"}, 1),
        ({"lane": "session"}, 1),
        ({"q": "tan wei"}, 1),
        ({"outcome": "nonsense", "lane": "nonsense"}, 5),
        ({"outcome": "held"}, 0),
    ],
)
def test_everyone_can_be_found_by_outcome_lane_reason_and_name(query, count, running, sign_in):
    settle(running, delivered=1, undelivered=1)
    assert len(sign_in("viewer").get(url(running), query).context["page"].rows) == count


def test_what_happened_otherwise_than_planned_is_counted(running, sign_in):
    settle(running, delivered=2)
    row = running.messages.get(planned_lane="template", delivery_state="delivered")
    row.lane, row.reason = "session", "window_open"
    row.save()
    client = sign_in("viewer")
    (change,) = client.get(url(running)).context["changes"]
    assert (change.planned, change.happened, change.people) == ("Template", "Free text", 1)
    assert len(client.get(url(running), {"changed": "1"}).context["page"].rows) == 1


def test_replies_and_opt_outs_are_counted_and_lead_to_their_people(running, people, connection, sign_in):
    left = running.messages.filter(send_state="queued")
    left.update(lane="template")
    make_request(list(left), ref="r2", text="Hello")
    Conversation.objects.filter(contact=people[0]).update(last_mo_at=db_now())
    consent.opt_out(contact=people[1], source="person", words="STOP", now=db_now())
    client = sign_in("agent")
    assert client.get(url(running)).context["answered"] == {"wrote": 1, "opted_out": 1}
    for then, who in (("wrote", "Aminah"), ("opted_out", "Tan Wei Ling")):
        found = client.get(url(running), {"then": then}).context["page"].rows
        assert [line.message.contact.name for line in found] == [who]
    assert f"?campaign={running.public_id}" in page(client, running)
    inbox = client.get(reverse("conversation_list"), {"campaign": running.public_id})
    assert [row.conversation.contact.name for row in inbox.context["rows"]] == ["Aminah"]
    assert "wrote after “Gotong-royong”" in inbox.content.decode()


def test_unknowns_are_named_and_lead_to_the_work_list(running, sign_in):
    settle(running, unknown=2)
    shown = page(sign_in("approver"), running)
    assert "Nobody can say whether 2 messages left." in shown
    assert f"{reverse('unknown_list')}?campaign={running.public_id}" in shown


def test_a_stopped_connection_is_the_first_thing_said(running, sign_in):
    Connection.objects.update(state="no_credit")
    shown = page(sign_in("viewer"), running)
    assert "Nothing leaves just now" in shown
    assert "Not sent yet: 3 messages. Nothing is lost." in shown


def test_a_finished_campaign_keeps_its_report(running, sign_in):
    settle(running, delivered=3)
    Campaign.objects.filter(pk=running.pk).update(state="finished", finished_at=db_now())
    assert "3 of 3 delivered" in page(sign_in("viewer"), running)


def test_the_texts_stay_readable_after_the_start(running, sign_in):
    shown = page(sign_in("viewer"), running)
    assert "the texts as they were approved" in shown
    for words in ("see you on Saturday?", "the gotong-royong is on Saturday."):
        assert words in shown


def test_the_report_asks_the_same_number_of_questions_for_few_people_and_for_many(
    running, connection, sign_in, django_assert_max_num_queries
):
    large = make_running_campaign(connection, [make_contact(wa_id=f"nobody{number}") for number in range(30)])
    client = sign_in("viewer")
    client.get(url(running))
    with django_assert_max_num_queries(60) as few:
        client.get(url(running), {"outcome": "skipped"})
    with django_assert_max_num_queries(len(few)):
        client.get(url(large), {"outcome": "skipped"})

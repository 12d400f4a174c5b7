"""Sending through the real client to the provider's twin: what left, what did not, and what the rows say of it."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection as database
from django.db import connections, transaction

from contacts.models import Contact
from messaging import campaigns, holds, reports, sending
from messaging.clock import db_now
from messaging.connections import resume_connection
from messaging.models import Campaign, Connection, Conversation, Incident, Message, ProviderRequest, RequestRecipient
from tests.factories import (
    make_approved_campaign,
    make_approved_version,
    make_contact,
    make_running_campaign,
    make_user,
)

pytestmark = pytest.mark.django_db(transaction=True)


def people(count: int) -> list[Contact]:
    return [make_contact(name=f"Person {n}") for n in range(count)]


def states(campaign: Campaign) -> Counter[str]:
    return Counter(Message.objects.filter(campaign=campaign).values_list("send_state", flat=True))


def wrote(contact: Contact, connection: Connection, ago: timedelta = timedelta(0)) -> Conversation:
    conversation, _ = Conversation.objects.update_or_create(
        contact=contact,
        connection=connection,
        channel="whatsapp",
        defaults={"last_mo_at": db_now() - ago, "last_message_at": db_now()},
    )
    return conversation


def same_text(connection: Connection, contacts: list[Contact], **fields: object) -> Campaign:
    version = make_approved_version("Same text for all")
    return make_running_campaign(connection, contacts, template_version=version, **fields)


def test_a_campaign_reaches_everybody_once_and_its_sums_close(connection, twin):
    campaign = same_text(connection, people(60))
    assert sending.drain(connection.pk) == 60
    assert states(campaign) == {"accepted": 60}
    ledger = twin.ledger()
    assert Counter(entry["msisdn"] for entry in ledger) == Counter(Contact.objects.values_list("msisdn", flat=True))
    assert reports.sums(campaign).waiting == reports.sums(campaign).audience == 60
    campaigns.finish_done(db_now())
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.FINISHED


def test_the_balance_is_kept_as_the_provider_tells_it(connection, twin):
    twin.control("balance", balance="50.0000")
    make_running_campaign(connection, people(1))
    sending.drain(connection.pk)
    connection.refresh_from_db()
    assert (connection.balance, connection.balance_currency) == (Decimal("50.0000"), "MYR")
    assert connection.balance_at is not None


def test_the_last_answer_of_a_drain_leaves_its_balance(connection, twin):
    twin.control("balance", balance="50.0000")
    make_running_campaign(connection, people(200))
    sending.drain(connection.pk)
    connection.refresh_from_db()
    charge = Decimal(twin.ledger()[-1]["charge"])  # an answer tells the balance before it, and several are out at once
    assert charge <= connection.balance - Decimal(twin.balance()) <= charge * connection.max_in_flight


def test_same_texts_share_a_request_and_no_request_is_over_150_characters(connection, twin):
    same_text(connection, people(70))
    sending.drain(connection.pk)
    sizes = Counter(entry["request"] for entry in twin.ledger())
    assert max(sizes.values()) == 7, "seven WhatsApp entries of 11 digits fit into 150 characters"
    for request in ProviderRequest.objects.all():
        numbers = request.recipients.order_by("position").values_list("message__contact__msisdn", flat=True)
        assert len(",".join(f"whatsapp:{number}" for number in numbers)) <= 150
    positions = {(entry["ref"], entry["index"]): entry["msisdn"] for entry in twin.ledger()}
    for recipient in RequestRecipient.objects.select_related("request", "message__contact"):
        assert positions[recipient.request.ref, recipient.position] == recipient.message.contact.msisdn


def test_personal_texts_go_one_by_one_as_rendered(connection, twin):
    make_running_campaign(connection, people(20))
    sending.drain(connection.pk)
    assert {entry["text"] for entry in twin.ledger()} == {f"Dear Person {n}" for n in range(20)}
    assert ProviderRequest.objects.filter(outcome="accepted").count() == 20


def test_lanes_are_chosen_person_by_person_and_never_share_a_request(connection, twin):
    contacts = people(6)
    for contact in contacts[:2]:
        wrote(contact, connection)
        twin.control("mo", msisdn=contact.msisdn, text="hello")
    campaign = make_running_campaign(connection, contacts)
    sending.drain(connection.pk)
    lanes = dict(Message.objects.filter(campaign=campaign).values_list("contact", "lane"))
    assert [lanes[contact.pk] for contact in contacts] == ["session"] * 2 + ["template"] * 4
    assert {request.lane for request in ProviderRequest.objects.all()} == {"session", "template"}


def test_a_window_that_closes_after_queueing_leads_to_the_template(connection, twin):
    (contact,) = people(1)
    conversation = wrote(contact, connection)
    campaign = make_running_campaign(connection, [contact])
    message = Message.objects.get(campaign=campaign)
    assert message.planned_lane == "session"
    conversation.last_mo_at = db_now() - timedelta(hours=23, minutes=59, seconds=30)  # inside, but within the margin
    conversation.save()
    sending.drain(connection.pk)
    message.refresh_from_db()
    assert (message.lane, message.send_state) == ("template", "accepted")
    assert [entry["text"] for entry in twin.ledger()] == ["Dear Person 0"]


def test_a_window_that_closes_without_another_text_leads_to_a_skip(connection, twin):
    (contact,) = people(1)
    conversation = wrote(contact, connection)
    campaign = make_running_campaign(connection, [contact], template_version=None)
    conversation.last_mo_at = db_now() - timedelta(hours=25)
    conversation.save()
    sending.drain(connection.pk)
    message = Message.objects.get(campaign=campaign)
    assert (message.send_state, message.reason) == ("skipped", "window_closed")
    assert message.facts["window_ends_at"] is not None
    assert twin.ledger() == []


def test_no_credit_stops_the_connection_and_loses_nobody(connection, twin):
    campaign = make_running_campaign(connection, people(40))
    twin.control("balance", balance="1.0000")
    sending.drain(connection.pk)
    connection.refresh_from_db()
    sent = len(twin.ledger())
    assert 0 < sent < 40
    assert connection.state == Connection.State.NO_CREDIT
    assert Incident.objects.get(connection=connection, closed_at=None).kind == Incident.Kind.NO_CREDIT
    assert states(campaign) == {"accepted": sent, "queued": 40 - sent}
    assert sending.drain(connection.pk) == 0, "a stopped connection sends nothing"
    twin.control("balance", balance="1000.0000")
    resume_connection(connection=connection, user=make_user(), now=db_now())
    sending.drain(connection.pk)
    assert states(campaign) == {"accepted": 40}
    assert max(Counter(entry["msisdn"] for entry in twin.ledger()).values()) == 1
    assert not Incident.objects.filter(closed_at=None).exists()


def test_a_lost_answer_is_unknown_and_never_sent_again(connection, twin):
    campaign = make_running_campaign(connection, people(5))
    twin.control("faults", faults=[{"fault": "drop_after", "at": [1, 2]}])
    sending.drain(connection.pk)
    assert states(campaign) == {"accepted": 3, "unknown": 2}
    assert reports.sums(campaign).unknown == 2
    sending.reap(db_now())
    sending.drain(connection.pk)
    assert max(Counter(entry["msisdn"] for entry in twin.ledger()).values()) == 1
    assert len(twin.ledger()) == 5, "the twin accepted before it dropped"


def test_nothing_written_goes_back_to_the_queue_with_a_wait(connection):
    connection.base_url = "http://127.0.0.1:9"
    connection.save()
    campaign = make_running_campaign(connection, people(3))
    sending.drain(connection.pk)
    assert states(campaign) == {"queued": 3}
    for message in Message.objects.filter(campaign=campaign):
        assert message.tries == 1
        assert message.due_at > db_now()
    assert set(ProviderRequest.objects.values_list("outcome", flat=True)) == {"not_sent"}


def test_a_refused_request_of_several_is_tried_once_more_alone(connection, twin):
    """A 400 for seven people refuses nobody; alone, each gets an answer of their own."""
    campaign = same_text(connection, people(7))
    twin.control("faults", faults=[{"fault": "code400", "at": [1, 3]}])
    sending.drain(connection.pk)
    assert states(campaign) == {"accepted": 6, "refused": 1}
    assert max(Counter(entry["msisdn"] for entry in twin.ledger()).values()) == 1
    assert Message.objects.filter(campaign=campaign, alone=True).count() == 7


def test_workers_that_race_send_to_each_person_once(connection, twin):
    campaign = same_text(connection, people(120))

    def work() -> None:
        sending.drain(connection.pk)
        connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert states(campaign) == {"accepted": 120}
    assert Counter(entry["msisdn"] for entry in twin.ledger()) == Counter(
        Contact.objects.values_list("msisdn", flat=True)
    )


def test_a_paused_campaign_sends_nothing_and_resumes_with_the_rest(connection, twin):
    campaign = make_running_campaign(connection, people(4))
    campaigns.pause_campaign(campaign=campaign, user=make_user(), now=db_now())
    assert sending.drain(connection.pk) == 0
    assert states(campaign) == {"queued": 4}
    campaigns.resume_campaign(campaign=campaign, user=make_user(), now=db_now())
    assert sending.drain(connection.pk) == 4


def test_cancelling_a_campaign_cancels_what_has_not_left(connection, twin):
    campaign = make_running_campaign(connection, people(4))
    campaigns.cancel_campaign(campaign=campaign, user=make_user(), now=db_now())
    assert sending.drain(connection.pk) == 0
    campaigns.cancel_rows(db_now())
    assert states(campaign) == {"cancelled": 4}
    assert twin.ledger() == []


@pytest.mark.parametrize("what", ["campaign", "template"])
def test_a_text_changed_behind_our_back_does_not_leave(connection, twin, what):
    campaign = make_running_campaign(connection, people(3))
    with database.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # a superuser who switches the triggers off
        if what == "campaign":
            cursor.execute("UPDATE messaging_campaign SET session_text = 'Buy now' WHERE id = %s", [campaign.pk])
        else:
            cursor.execute("UPDATE messaging_templateversion SET body = 'Buy {{name}}'")
        cursor.execute("SET session_replication_role = DEFAULT")
    assert sending.drain(connection.pk) == 0
    campaign.refresh_from_db()
    assert campaign.state == Campaign.State.PAUSED
    assert Incident.objects.get(campaign=campaign).kind == Incident.Kind.TEXT_CHANGED
    assert states(campaign) == {"queued": 3}
    assert twin.ledger() == []


def test_an_opt_out_that_commits_first_is_seen_and_a_busy_person_waits(connection, twin):
    busy, free = people(2)
    campaign = make_running_campaign(connection, [busy, free])
    locked, done = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            Contact.objects.select_for_update(no_key=True).get(pk=busy.pk)
            locked.set()
            done.wait(10)
        connections.close_all()

    holder = threading.Thread(target=hold)
    holder.start()
    locked.wait(10)
    sending.drain(connection.pk, budget_s=1)
    left = {entry["msisdn"] for entry in twin.ledger()}
    done.set()
    holder.join()
    assert left == {free.msisdn}
    assert states(campaign) == {"accepted": 1, "queued": 1}
    assert Message.objects.get(campaign=campaign, contact=busy).claims_lost == 0
    sending.drain(connection.pk)
    assert states(campaign) == {"accepted": 2}


def test_held_until_they_write_wakes_with_their_message(connection, twin):
    (contact,) = people(1)
    campaign = make_running_campaign(connection, [contact], template_version=None, until_reply=True)
    message = Message.objects.get(campaign=campaign)
    assert (message.send_state, message.held_for) == ("held", "until_reply")
    assert holds.wake(db_now()) == 0
    wrote(contact, connection)
    twin.control("mo", msisdn=contact.msisdn, text="hello")
    assert holds.wake(db_now()) == 1
    sending.drain(connection.pk)
    message.refresh_from_db()
    assert (message.send_state, message.lane) == ("accepted", "session")


def test_past_not_after_a_queued_message_expires(connection, twin):
    campaign = make_approved_campaign(connection, people(2), not_after=db_now() + timedelta(milliseconds=900))
    campaigns.launch_campaign(campaign=campaign, user=make_user(), now=db_now())
    campaigns.start_due(db_now())
    assert states(campaign) == {"queued": 2}
    holds.expire(db_now() + timedelta(seconds=2))
    assert states(campaign) == {"expired": 2}


def test_the_pace_holds_over_workers(connection, twin):
    Connection.objects.filter(pk=connection.pk).update(rate_per_s=40)
    make_running_campaign(connection, people(60))
    begun = db_now()

    def work() -> None:
        sending.drain(connection.pk)
        connections.close_all()

    workers = [threading.Thread(target=work) for _ in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    took = (db_now() - begun).total_seconds()
    assert len(twin.ledger()) == 60
    assert took >= 60 / 40 - 0.5 - 20 / 40, "60 at 40 a second, less the last wave"

"""What comes when nobody waits for it any more: no row is left behind in a campaign that was over by then."""

from __future__ import annotations

import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.db import connections, transaction

from messaging import campaigns, sending, ticks
from messaging.clock import db_now
from messaging.models import Campaign, Connection, Message
from messaging.providers.answers import Outcome
from messaging.providers.bulk360 import SendOutcome
from messaging.providers.codes import Scope
from messaging.sending.claim import Marks, claim
from messaging.sending.gate import gate
from messaging.sending.record import Answered, record
from tests.factories import make_approved_campaign, make_contact, make_running_campaign, make_user

pytestmark = pytest.mark.django_db(transaction=True)
LATER = timedelta(minutes=5)
NOT_SENT = {"outcome": Outcome.NOT_SENT, "error": "too late for the first byte"}
REFUSED = {"outcome": Outcome.REFUSED, "refusal_scope": Scope.CONNECTION, "code": 402}


def states(campaign):
    return Counter(Message.objects.filter(campaign=campaign).values_list("send_state", flat=True))


def answer(**fields):
    unknown = dict.fromkeys(("refusal_scope", "stop", "http_status", "code", "balance"))
    return SendOutcome(**unknown | {"desc": "", "ref": "", "currency": "", "error": "", "elapsed_s": 0.1} | fields)


def first_request(connection):
    ((request, _numbers),) = gate(connection.pk, claim(connection, limit=100, marks=Marks()), free=16).requests
    return request


@pytest.mark.parametrize("fields", [NOT_SENT, REFUSED])
def test_a_row_that_comes_back_to_a_finished_campaign_is_sent(connection, twin, fields):
    campaign = make_running_campaign(connection, [make_contact(name="Aminah")])
    request = first_request(connection)
    sending.reap(db_now() + LATER)
    campaigns.finish_done(db_now())
    assert Campaign.objects.get().state == "finished"
    record([Answered(request, 1, answer(**fields), client=None)])
    Message.objects.update(due_at=None)
    ticks.tick()
    assert Campaign.objects.get().state == "running"
    sending.drain(connection.pk)
    ticks.tick()
    assert (states(campaign), Campaign.objects.get().state) == ({"accepted": 1}, "finished")
    assert len(twin.ledger()) == 1


def test_a_campaign_does_not_finish_while_somebody_has_an_unknown_sent_again(connection, twin):
    campaign = make_running_campaign(connection, [make_contact(name="Aminah")])
    first_request(connection)
    sending.reap(db_now() + LATER)

    def finish():
        campaigns.finish_done(db_now())
        connections.close_all()

    thread = threading.Thread(target=finish)
    with transaction.atomic():
        sending.send_again(message=Message.objects.get(), user=make_user(), now=db_now())
        thread.start()
        time.sleep(0.5)
    thread.join()
    assert Campaign.objects.get().state == "running"
    sending.drain(connection.pk)
    assert states(campaign) == {"accepted": 1}


def test_a_balance_that_no_column_holds_stops_nothing(connection, twin):
    twin.control("balance", balance="99999999999.0000")
    Connection.objects.update(max_in_flight=4)
    campaign = make_running_campaign(connection, [make_contact(name=f"Person {n}") for n in range(12)])
    sending.drain(connection.pk)
    assert states(campaign) == {"accepted": 12}


def test_a_test_of_a_campaign_that_went_back_to_draft_leaves_no_more(connection, twin):
    writer = make_user()
    campaign = make_approved_campaign(connection, [make_contact(name="Aminah")])
    campaigns.send_test(campaign=campaign, contact=make_contact(name="Aminah"), user=writer, now=db_now())
    campaign = campaigns.withdraw_campaign(campaign=Campaign.objects.get(), user=writer, now=db_now())
    sending.drain(connection.pk)
    campaign = campaigns.edit_campaign(
        campaign=campaign, user=writer, version=campaign.version, now=db_now(), session_text="Nobody approved this"
    )
    campaigns.submit_campaign(campaign=campaign, user=writer, now=db_now())
    sending.drain(connection.pk)
    assert twin.ledger() == []
    assert Message.objects.exclude(test_of=None).get().send_state == "cancelled"


def test_not_even_one_that_is_claimed_passes_the_gate_while_nobody_approved_its_campaign(connection, twin):
    campaign = make_approved_campaign(connection, [make_contact(name="Aminah")])
    campaigns.send_test(
        campaign=Campaign.objects.get(), contact=make_contact(name="Aminah"), user=make_user(), now=db_now()
    )
    claimed = claim(connection, limit=10, marks=Marks())
    Campaign.objects.filter(pk=campaign.pk).update(state="draft", approved_by=None, approved_at=None)
    assert gate(connection.pk, claimed, free=4).requests == []

"""Trouble in the middle of a wave: what left is written down, what did not leave goes back, nothing goes twice."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from datetime import timedelta

import pytest
from django.db import OperationalError, connections, transaction
from django.db import connection as database

from messaging import campaigns, sending
from messaging.audit import history
from messaging.clock import db_now
from messaging.connections import update_connection
from messaging.models import Campaign, Connection, Incident, Message, Outcome, ProviderRequest, RequestRecipient
from messaging.providers.answers import Outcome as Answer
from messaging.providers.bulk360 import SendOutcome
from messaging.providers.codes import Scope
from messaging.sending import worker
from messaging.sending.claim import Marks, claim
from messaging.sending.gate import gate
from messaging.sending.record import Answered, record
from tests.chaos.proxies import Wire
from tests.factories import (
    make_approved_version,
    make_contact,
    make_conversation,
    make_mt,
    make_raw,
    make_running_campaign,
    make_user,
)

pytestmark = pytest.mark.django_db(transaction=True)
LATER = timedelta(minutes=5)
CUT_EVERYBODY_OFF = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
SLOW_COMMIT = """
CREATE FUNCTION slow_commit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(2); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER slow_commit AFTER INSERT ON messaging_providerrequest DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION slow_commit();
"""


def people(count: int) -> list:
    return [make_contact(name=f"Person {n}") for n in range(count)]


def states(campaign: Campaign) -> Counter[str]:
    return Counter(Message.objects.filter(campaign=campaign).values_list("send_state", flat=True))


def answer(outcome: Answer, **fields) -> SendOutcome:
    blank = dict.fromkeys(("refusal_scope", "stop", "http_status", "code", "balance"))
    fields = blank | {"desc": "", "ref": "", "currency": "", "error": "", "elapsed_s": 0.1} | fields
    return SendOutcome(outcome=outcome, **fields)


def one_wave(connection: Connection, limit: int = 100):
    return gate(connection.pk, claim(connection, limit=limit, marks=Marks()), free=16)


class TestDatabase:
    def test_a_restart_while_a_slow_request_is_in_flight_loses_no_answer(self, connection, twin):
        campaign = make_running_campaign(connection, people(1))
        twin.control("faults", faults=[{"fault": "slow", "at": [1]}])  # the answer comes after 5 s

        def work() -> None:
            try:
                sending.drain(connection.pk)
            except OperationalError:
                pass  # the next wave could not begin
            finally:
                connections.close_all()

        thread = threading.Thread(target=work)
        thread.start()
        until = time.monotonic() + 4
        while not ProviderRequest.objects.exists() and time.monotonic() < until:
            time.sleep(0.05)
        time.sleep(0.5)
        with database.cursor() as cursor:
            cursor.execute(CUT_EVERYBODY_OFF)
        thread.join()
        assert states(campaign) == {"accepted": 1}
        assert len(twin.ledger()) == 1

    def test_a_gate_whose_commit_reply_is_lost_leaves_no_unknown(self, connection, twin, monkeypatch):
        campaign = make_running_campaign(connection, people(3))

        def gate_without_reply(*args, **kwargs):  # as psycopg does where the connection dies behind the COMMIT
            gate(*args, **kwargs)
            raise OperationalError("server closed the connection unexpectedly")

        with monkeypatch.context() as patch:
            patch.setattr(worker, "gate", gate_without_reply)
            with pytest.raises(OperationalError):
                sending.drain(connection.pk)
        assert states(campaign) == {"queued": 3}
        assert set(ProviderRequest.objects.values_list("outcome", flat=True)) == {"not_sent"}
        assert twin.ledger() == []
        sending.drain(connection.pk)
        assert states(campaign) == {"accepted": 3}
        assert len(twin.ledger()) == 3

    def test_trouble_of_a_living_worker_is_not_counted_against_a_row(self, connection, monkeypatch):
        campaign = make_running_campaign(connection, people(1))

        def broken(*args, **kwargs):
            raise OperationalError("the connection is lost")

        with monkeypatch.context() as patch:
            patch.setattr(worker, "gate", broken)
            for _ in range(3):
                with pytest.raises(OperationalError):
                    sending.drain(connection.pk)
                sending.reap(db_now() + LATER)
        message = Message.objects.get(campaign=campaign)
        assert (message.send_state, message.claims_lost) == ("queued", 0)

    def test_a_commit_slower_than_the_first_byte_may_wait_sends_nothing(self, connection, twin, settings):
        settings.FIRST_BYTE_S = 0.5
        campaign = make_running_campaign(connection, people(1))
        with database.cursor() as cursor:
            cursor.execute(SLOW_COMMIT)
        try:
            sending.drain(connection.pk, budget_s=0.5)
        finally:
            with database.cursor() as cursor:
                cursor.execute("DROP TRIGGER slow_commit ON messaging_providerrequest; DROP FUNCTION slow_commit()")
        assert twin.ledger() == [], "the rule was asked 2 s ago"
        assert states(campaign) == {"queued": 1}


def test_a_client_that_raises_makes_one_unknown_and_costs_no_other_answer(connection, twin, monkeypatch):
    campaign = make_running_campaign(connection, people(4))
    real, calls = worker._post, []

    def post(*args):
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("can't start new thread")
        return real(*args)

    monkeypatch.setattr(worker, "_post", post)
    sending.drain(connection.pk)
    assert states(campaign) == {"accepted": 3, "unknown": 1}


class TestSecondCopies:
    def test_a_late_ref_after_send_again_keeps_the_second_copy_back(self, connection, twin):
        campaign = make_running_campaign(connection, people(1))
        ((request, _),) = one_wave(connection).requests
        sending.reap(db_now() + LATER)
        message = Message.objects.get(campaign=campaign)
        sending.send_again(message=message, user=make_user(), now=db_now())
        record([Answered(request, 1, answer(Answer.ACCEPTED, ref="7-1.5", code=200), client=None)])
        assert sending.drain(connection.pk) == 0
        assert states(campaign) == {"accepted": 1}
        attempt = RequestRecipient.objects.get()
        assert (attempt.outcome, attempt.superseded_at) == (Outcome.ACCEPTED, None)

    def test_also_while_a_worker_has_claimed_it(self, connection, twin):
        make_running_campaign(connection, people(1))
        ((request, _),) = one_wave(connection).requests
        sending.reap(db_now() + LATER)
        sending.send_again(message=Message.objects.get(), user=make_user(), now=db_now())
        claimed = claim(connection, limit=1, marks=Marks())
        record([Answered(request, 1, answer(Answer.ACCEPTED, ref="7-1.5", code=200), client=None)])
        assert gate(connection.pk, claimed, free=4).requests == []

    def test_sent_again_a_finished_campaign_runs_until_it_is_finished_again(self, connection, twin):
        campaign = make_running_campaign(connection, people(1))
        twin.control("faults", faults=[{"fault": "reset_before", "at": [1]}])
        sending.drain(connection.pk)
        campaigns.finish_done(db_now())
        assert Campaign.objects.get(pk=campaign.pk).state == "finished"
        sending.send_again(message=Message.objects.get(), user=make_user(), now=db_now())
        sending.drain(connection.pk)
        assert states(campaign) == {"accepted": 1}
        campaigns.finish_done(db_now())
        assert Campaign.objects.get(pk=campaign.pk).state == "finished"

    def test_of_a_cancelled_campaign_nothing_is_sent_again(self, connection, twin):
        campaign = make_running_campaign(connection, people(1))
        one_wave(connection)
        sending.reap(db_now() + LATER)
        campaigns.cancel_campaign(campaign=campaign, user=make_user(), now=db_now())
        with pytest.raises(sending.unknowns.WrongState):
            sending.send_again(message=Message.objects.get(), user=make_user(), now=db_now())


class TestJudgement:
    def test_a_person_may_say_that_it_never_arrived(self, connection):
        campaign = make_running_campaign(connection, people(1))
        one_wave(connection)
        sending.reap(db_now() + LATER)
        sending.treat_as_not_sent(message=Message.objects.get(), user=make_user(), now=db_now())
        assert states(campaign) == {"cancelled": 1}
        assert RequestRecipient.objects.get().resolved_by == "person"

    def test_a_stuck_row_can_be_tried_again_alone(self, connection, twin):
        campaign = make_running_campaign(connection, people(1))
        Message.objects.update(send_state="stuck", claims_lost=3)
        sending.try_stuck_again(message=Message.objects.get(), user=make_user(), now=db_now())
        sending.drain(connection.pk)
        assert states(campaign) == {"accepted": 1}

    def test_a_stuck_row_can_be_given_up_and_with_the_last_one_its_incident_ends(self, connection):
        campaign = make_running_campaign(connection, people(2))
        Message.objects.update(send_state="stuck", claims_lost=3)
        Incident.objects.create(connection=connection, kind="stuck", opened_at=db_now())
        first, second = Message.objects.order_by("pk")
        judge = make_user()
        sending.give_up_stuck(message=first, user=judge, now=db_now())
        assert states(campaign) == {"cancelled": 1, "stuck": 1}
        assert Incident.objects.get().closed_at is None
        sending.try_stuck_again(message=second, user=judge, now=db_now())
        assert states(campaign) == {"cancelled": 1, "queued": 1}
        assert Incident.objects.get().closed_by == judge

    @pytest.mark.parametrize("decide", [sending.try_stuck_again, sending.give_up_stuck])
    def test_what_is_not_stuck_any_more_is_left_alone(self, connection, decide):
        message = make_mt(connection=connection, send_state="accepted")
        with pytest.raises(sending.unknowns.NotStuck):
            decide(message=message, user=make_user(), now=db_now())
        assert Message.objects.get().send_state == "accepted"

    def test_a_stuck_row_of_a_cancelled_campaign_can_only_be_given_up(self, connection):
        campaign = make_running_campaign(connection, people(1))
        Message.objects.update(send_state="stuck")
        campaigns.cancel_campaign(campaign=campaign, user=make_user(), now=db_now())
        message = Message.objects.get()
        with pytest.raises(sending.unknowns.WrongState):
            sending.try_stuck_again(message=message, user=make_user(), now=db_now())
        sending.give_up_stuck(message=message, user=make_user(), now=db_now())
        assert states(campaign) == {"cancelled": 1}

    def test_a_late_refusal_of_several_spares_whom_a_person_has_judged(self, connection):
        version = make_approved_version("Same text for all")
        campaign = make_running_campaign(connection, people(3), template_version=version)
        ((request, _),) = one_wave(connection).requests
        sending.reap(db_now() + LATER)
        judged = Message.objects.filter(campaign=campaign).first()
        sending.treat_as_sent(message=judged, user=make_user(), now=db_now())
        record([Answered(request, 3, answer(Answer.REFUSED, refusal_scope=Scope.MESSAGE, code=400), client=None)])
        assert states(campaign) == {"accepted": 1, "queued": 2}
        assert Message.objects.get(pk=judged.pk).send_state == "accepted"


class TestProvidersWord:
    def test_a_template_that_the_provider_refuses_is_doubted(self, connection, twin):
        version = make_approved_version("Never shown to the provider, {{name}}")
        campaign = make_running_campaign(connection, people(2), template_version=version)
        sending.drain(connection.pk)
        assert states(campaign) == {"refused": 2}
        approval = version.provider_approvals.get(connection=connection)
        assert (approval.state, approval.evidence[:4]) == ("doubted", "406:")
        assert history(version.template).filter(act="template.doubted").count() == 1


class TestRule:
    def test_a_stop_that_the_hook_has_stored_is_obeyed_by_the_next_wave(self, connection, twin):
        contact = make_contact(name="Aminah")
        campaign = make_running_campaign(connection, [contact])
        body = json.dumps({"from": contact.msisdn, "text": "STOP", "channel": "whatsapp"}).encode()
        make_raw(connection, "mo", body, content_type="application/json")
        sending.drain(connection.pk)
        assert [entry["text"] for entry in twin.ledger() if "Aminah" in entry["text"]] == []
        assert Message.objects.get(campaign=campaign).reason == "opted_out"

    def test_the_daily_cap_holds_when_two_workers_gate_at_once(self, connection):
        first, second = self._two_messages_with_a_cap_of_one(connection)
        sent: list[int] = []

        def other() -> None:
            sent.append(gate(connection.pk, second, free=4).recipients)
            connections.close_all()

        with transaction.atomic():
            sent.append(gate(connection.pk, first, free=4).recipients)  # decided, not committed yet
            thread = threading.Thread(target=other)
            thread.start()
            thread.join(5)
        thread.join()
        assert sum(sent) == 1

    def _two_messages_with_a_cap_of_one(self, connection):
        Connection.objects.filter(pk=connection.pk).update(daily_cap=1)
        contact = make_contact()
        make_conversation(contact, connection, last_mo_at=db_now())
        for body in ("one", "two"):
            make_mt(connection=connection, contact=contact, body=body)
        return [claim(connection, limit=1, marks=Marks()) for _ in range(2)]

    def test_the_cap_counts_within_one_wave_too(self, connection, twin):
        Connection.objects.filter(pk=connection.pk).update(daily_cap=2)
        contact = make_contact()
        make_conversation(contact, connection, last_mo_at=db_now())
        twin.control("mo", msisdn=contact.msisdn, text="hello")
        for n in range(4):
            make_mt(connection=connection, contact=contact, body=f"text {n}")
        sending.drain(connection.pk)
        assert Counter(Message.objects.values_list("send_state", "reason")) == {
            ("accepted", "window_open"): 2,
            ("skipped", "capped"): 2,
        }

    def test_a_message_that_does_not_leave_uses_up_nobodys_cap(self, connection, twin):
        Connection.objects.filter(pk=connection.pk).update(daily_cap=1)
        contact = make_contact()
        make_conversation(contact, connection, last_mo_at=db_now())
        twin.control("mo", msisdn=contact.msisdn, text="hello")
        make_mt(connection=connection, contact=contact, body="late", not_after=db_now() - timedelta(seconds=1))
        good = make_mt(connection=connection, contact=contact, body="good")
        sending.drain(connection.pk)
        good.refresh_from_db()
        assert good.send_state == "accepted"


def test_idle_campaigns_take_no_share_of_a_wave(connection):
    make_running_campaign(connection, people(40))
    for _ in range(3):
        make_running_campaign(connection, people(1), template_version=None, until_reply=True)
    make_running_campaign(connection, people(2))
    assert len(claim(connection, limit=40, marks=Marks()).ids) == 40


def test_late_refusals_of_replaced_credentials_stop_nothing_while_the_new_ones_send(connection, twin, tmp_path):
    wire = Wire(f"127.0.0.1:{twin.port}", log=tmp_path / "proxy.log")
    wire.rule(latency_s=0.3, jitter_s=0.5)  # answers to the old ones come while requests with the new ones leave
    Connection.objects.filter(pk=connection.pk).update(base_url=f"http://{wire.address}")
    campaign = make_running_campaign(connection, people(60))

    def rotate() -> None:
        time.sleep(0.2)
        twin.control("accounts", user="new-key", **{"pass": "new-secret"})
        twin.control("accounts", user=twin.user, **{"pass": "gone"})
        update_connection(connection=connection, user=None, now=db_now(), app_key="new-key", app_secret="new-secret")
        connections.close_all()

    rotating = threading.Thread(target=rotate)
    rotating.start()
    try:
        sending.drain(connection.pk)
    finally:
        rotating.join()
        wire.stop()
    assert not Incident.objects.exists()
    assert states(campaign) == {"accepted": 60}

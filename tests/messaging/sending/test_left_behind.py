"""What dead workers leave behind, and what a person decides about it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction

from messaging import sending
from messaging.clock import db_now
from messaging.models import AuditEvent, Incident, Message, Outcome, ProviderRequest, RequestRecipient
from messaging.providers.answers import Outcome as Answer
from messaging.providers.bulk360 import SendOutcome
from messaging.sending import claim as claiming
from messaging.sending.claim import Marks, claim
from messaging.sending.gate import gate
from messaging.sending.record import Answered, record
from tests.factories import make_contact, make_running_campaign, make_user

pytestmark = pytest.mark.django_db(transaction=True)
LATER = timedelta(minutes=5)


@pytest.fixture
def campaign(connection):
    return make_running_campaign(connection, [make_contact(name=f"Person {n}") for n in range(12)])


def take(connection, limit=100):
    return claim(connection, limit=limit, marks=Marks())


def answer(outcome: Answer, **fields) -> SendOutcome:
    blank = dict.fromkeys(("refusal_scope", "stop", "http_status", "code", "balance"))
    return SendOutcome(
        **blank | {"outcome": outcome, "desc": "", "ref": "", "currency": "", "error": "", "elapsed_s": 0.1} | fields
    )


def test_a_claim_whose_worker_died_returns_to_the_queue(connection, campaign):
    claimed = take(connection)
    assert len(claimed.ids) == 12
    assert take(connection).ids == [], "nobody else gets a row that is claimed"
    assert sending.reap(db_now()) == 0, "a running lease is left alone"
    assert sending.reap(db_now() + LATER) == 12
    assert set(Message.objects.values_list("send_state", "claims_lost")) == {("queued", 1)}


def test_a_row_that_kills_its_workers_ends_stuck_and_holds_up_nobody(connection, campaign):
    sizes = []
    for _ in range(3):
        claimed = take(connection)
        sizes.append(len(claimed.ids))
        sending.reap(db_now() + LATER)
    assert sizes == [12, claiming.CAREFUL_AFTER_ONE_LOSS, 1]
    assert Message.objects.get(send_state="stuck").claims_lost == 3
    assert Incident.objects.get(closed_at=None).kind == Incident.Kind.STUCK
    assert Message.objects.filter(send_state="queued").count() == 11


def test_a_lease_that_ran_out_does_not_pass_the_gate(connection, campaign):
    claimed = take(connection)
    Message.objects.update(lease_until=db_now() - timedelta(seconds=1))
    assert gate(connection.pk, claimed, free=16).requests == []
    assert not ProviderRequest.objects.exists()


def test_what_was_being_sent_becomes_unknown_and_stays_so(connection, campaign):
    gate(connection.pk, take(connection), free=16)
    assert sending.reap(db_now()) == 0
    assert sending.reap(db_now() + LATER) == 12
    assert set(Message.objects.values_list("send_state", flat=True)) == {"unknown"}
    assert set(ProviderRequest.objects.values_list("outcome", "resolved_by")) == {("unknown", "lease")}
    sending.reap(db_now() + LATER)
    assert take(connection).ids == []


def test_a_late_answer_settles_an_unknown(connection, campaign):
    gated = gate(connection.pk, take(connection, limit=1), free=16)
    sending.reap(db_now() + LATER)
    ((request, _),) = gated.requests
    record([Answered(request, 1, answer(Answer.ACCEPTED, ref="7-1.5", code=200), client=None)])
    recipient = RequestRecipient.objects.get(request=request)
    assert recipient.outcome == Outcome.ACCEPTED
    assert recipient.message.send_state == "accepted"
    request.refresh_from_db()
    assert request.ref == "7-1.5"


def test_at_most_one_live_request_a_message(connection, campaign):
    gate(connection.pk, take(connection, limit=1), free=16)
    recipient = RequestRecipient.objects.get()
    other = ProviderRequest.objects.exclude(pk=recipient.request_id).first() or ProviderRequest.objects.create(
        connection=connection, token=recipient.request.token, channel="whatsapp", lane="template", text="x",
        started_at=db_now(), deadline=db_now(),
    )  # fmt: skip
    with pytest.raises(IntegrityError), transaction.atomic():
        RequestRecipient.objects.create(
            request=other, message=recipient.message, position=0, address_hmac=recipient.address_hmac
        )


class TestUnknown:
    @pytest.fixture
    def unknown(self, connection, campaign) -> Message:
        gate(connection.pk, take(connection, limit=1), free=16)
        sending.reap(db_now() + LATER)
        return Message.objects.get(send_state="unknown")

    def test_a_person_may_count_it_as_sent(self, unknown):
        judge = make_user()
        sending.treat_as_sent(message=unknown, user=judge, now=db_now())
        attempt = unknown.attempts.get()
        assert (attempt.outcome, attempt.resolved_by, attempt.judge) == ("accepted", "person", judge)
        assert Message.objects.get(pk=unknown.pk).send_state == "accepted"
        assert AuditEvent.objects.filter(act="message.treated_as_sent", actor=judge).exists()

    def test_a_person_may_send_it_again_and_both_attempts_stay(self, unknown, connection, twin):
        sending.send_again(message=unknown, user=make_user(), now=db_now())
        sending.drain(connection.pk)
        attempts = unknown.attempts.order_by("pk")
        assert [attempt.outcome for attempt in attempts] == ["unknown", "accepted"]
        assert attempts[0].superseded_at
        assert not attempts[1].superseded_at

    def test_a_late_refusal_does_not_overrule_a_person(self, unknown):
        sending.treat_as_sent(message=unknown, user=make_user(), now=db_now())
        request = ProviderRequest.objects.get()
        record([Answered(request, 1, answer(Answer.NOT_SENT), client=None)])
        assert Message.objects.get(pk=unknown.pk).send_state == "accepted"

    def test_what_is_settled_already_cannot_be_judged(self, unknown):
        sending.treat_as_sent(message=unknown, user=make_user(), now=db_now())
        with pytest.raises(sending.unknowns.NotUnknown):
            sending.send_again(message=unknown, user=make_user(), now=db_now())


def test_campaigns_take_turns_and_single_messages_go_first(connection, campaign):
    other = make_running_campaign(connection, [make_contact(name=f"Other {n}") for n in range(12)])
    single = Message.objects.create(
        contact=make_contact(), connection=connection, body="Yes, come at nine", channel="sms", send_state="queued",
        timeline_at=db_now(),
    )  # fmt: skip
    claimed = claim(connection, limit=9, marks=Marks())
    counts = {pk: Message.objects.filter(pk__in=claimed.ids, campaign=pk).count() for pk in (campaign.pk, other.pk)}
    assert single.pk in claimed.ids
    assert set(counts.values()) == {4}


def test_rows_that_come_back_behind_the_mark_are_found_again(connection, campaign):
    marks = Marks(forgotten_at=1e12)
    first = claim(connection, limit=4, marks=marks)
    second = claim(connection, limit=4, marks=marks)
    claiming.release(first.token, first.ids)
    third = claim(connection, limit=8, marks=marks)
    assert len(second.ids) == len(third.ids) == 4, "the rest beyond the mark"
    assert claim(connection, limit=8, marks=marks).ids == first.ids

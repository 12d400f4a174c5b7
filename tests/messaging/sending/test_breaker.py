"""A provider that gives no usable answers is asked with one message at a time, until it answers again."""

from __future__ import annotations

import pytest

from messaging import sending
from messaging.models import AuditEvent, Incident, Message
from messaging.providers.answers import Outcome
from messaging.providers.bulk360 import SendOutcome
from messaging.sending import breaker, worker
from messaging.sending.breaker import OPENS_AFTER, OUR_OWN_DELAY, PROBES_S, Breaker
from tests.factories import make_contact, make_running_campaign


def ended(outcome: Outcome, error: str = "") -> SendOutcome:
    nothing = dict.fromkeys(("refusal_scope", "stop", "http_status", "code", "balance"))
    return SendOutcome(**nothing, outcome=outcome, desc="", ref="", currency="", error=error, elapsed_s=0.1)


LOST, TAKEN, REFUSED = ended(Outcome.UNKNOWN), ended(Outcome.ACCEPTED), ended(Outcome.REFUSED)
UNREACHED, LATE = ended(Outcome.NOT_SENT), ended(Outcome.NOT_SENT, OUR_OWN_DELAY)


@pytest.mark.parametrize("trouble", [LOST, UNREACHED], ids=["unknown", "not_sent"])
def test_five_failures_in_a_row_open_it_and_four_do_not(trouble):
    one = Breaker()
    assert not one.note([trouble] * (OPENS_AFTER - 1))
    assert one.room(16, 0) == 16
    assert one.note([trouble])
    assert one.open


@pytest.mark.parametrize("usable", [TAKEN, REFUSED], ids=["accepted", "refused"])
def test_any_usable_answer_starts_the_count_anew_and_closes_it(usable):
    one = Breaker()
    one.note([LOST] * 4 + [usable] + [LOST] * 4)
    assert not one.open
    one.note([LOST])
    assert one.open
    assert one.note([usable])
    assert one.room(16, 0) == 16


def test_our_own_delay_is_no_trouble_of_the_providers():
    one = Breaker()
    one.note([LATE] * 20)
    assert not one.open


def test_while_it_is_open_one_request_leaves_when_its_time_has_come_and_the_times_grow(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(breaker, "monotonic", lambda: now[0])
    one = Breaker()
    one.note([LOST] * OPENS_AFTER)
    for wait_s in (*PROBES_S, PROBES_S[-1]):
        assert one.room(16, 0) == 0
        now[0] += wait_s
        assert one.room(16, 0) == 1
        assert one.room(16, 3) == 0, "what is in flight is waited for"
        one.note([LOST])


@pytest.fixture
def at_once(monkeypatch):
    """Probes need not wait, and no breaker remembers another test."""
    monkeypatch.setattr(breaker, "PROBES_S", (0.0,))
    monkeypatch.setattr(worker, "_breakers", {})


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("at_once")
def test_trouble_costs_few_messages_is_told_and_ends_by_itself(connection, twin):
    connection.max_in_flight = connection.recipients_per_request = 1
    connection.save()
    campaign = make_running_campaign(connection, [make_contact(name=f"Person {n}") for n in range(20)])
    twin.faults(*[{"fault": "http500", "at": list(range(1, 8))}])
    sending.drain(connection.pk, budget_s=20)
    states = Message.objects.filter(campaign=campaign).values_list("send_state", flat=True)
    assert sorted(states) == ["accepted"] * 13 + ["unknown"] * 7
    incident = Incident.objects.get()
    assert (incident.kind, incident.closed_by) == ("failing", None)
    assert incident.closed_at
    assert list(AuditEvent.objects.filter(subject_type="connection").values_list("act", flat=True)) == [
        "connection.failing",
        "connection.answers_again",
    ]


@pytest.mark.django_db(transaction=True)
def test_a_probe_that_is_not_due_holds_no_worker(connection, twin, monkeypatch):
    monkeypatch.setattr(worker, "_breakers", {})
    make_running_campaign(connection, [make_contact(name=f"Person {n}") for n in range(40)])
    connection.recipients_per_request = connection.max_in_flight = 5
    connection.save()
    twin.faults({"fault": "http503", "share": 1})
    sending.drain(connection.pk, budget_s=30)
    left = Message.objects.filter(send_state="queued").count()
    assert left > 20
    assert sending.drain(connection.pk, budget_s=30) <= 1
    assert Incident.objects.get(closed_at=None).kind == "failing"

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import product
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contacts.models import ConsentEvent, Suppression
from messaging.ingest import digest_all, digest_connection, retry_parked
from messaging.ingest.matching import keys_of
from messaging.models import Connection, ConversationEvent, DeliveryNotice, InboundRaw, Incident, Message, Outcome
from messaging.statuses import DeliveryState, Notice, SendState, delivery_state_of, fold
from tests.contacts.racing import race
from tests.factories import make_connection, make_contact, make_mt, make_raw, make_request

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
REF = "78-1633193001.0602"
State = DeliveryNotice.State


def make_sent(count: int = 1, ref: str = REF, connection: Connection | None = None, **fields):
    """MTs of one accepted request."""
    connection = connection or make_connection()
    messages = [make_mt(connection=connection, **fields) for _ in range(count)]
    make_request(messages, ref=ref)
    return messages


def dn(connection, status="DELIVERED", code="000", *, to: Message | None = None, at=NOON, **fields) -> InboundRaw:
    """A DN that the door kept."""
    said = {"status": status, "error-code": code, "msisdn": to.contact.msisdn if to else "", "msgid": REF} | fields
    return make_raw(connection, "dn", urlencode(said).encode(), received_at=at)


def digest(connection) -> None:
    digest_connection(connection.pk, kind="dn")


def state_of(message: Message) -> str:
    message.refresh_from_db()
    return message.delivery_state


def test_a_dn_settles_its_message_and_keeps_what_it_said():
    (message,) = make_sent()
    dn(message.connection, "UNDELIVERED", "0501", to=message)
    digest(message.connection)
    message.refresh_from_db()
    assert (message.delivery_state, message.error_code, message.final_at) == ("undelivered", "501", NOON)
    assert message.send_state == SendState.ACCEPTED
    notice = DeliveryNotice.objects.get()
    assert (notice.state, notice.flag, notice.recipient.message) == (State.APPLIED, "", message)
    assert message.final_notice == notice.pk
    assert InboundRaw.objects.get().digested_at is not None


@pytest.mark.parametrize("msgid", [REF, f"{REF}-0"])
def test_a_single_recipients_id_may_carry_its_index(msgid):
    (message,) = make_sent()
    dn(message.connection, to=message, msgid=msgid)
    digest(message.connection)
    assert state_of(message) == "delivered"
    assert DeliveryNotice.objects.get().flag == ""


def test_an_id_may_be_a_plain_integer():
    (message,) = make_sent(ref="5515023")
    dn(message.connection, to=message, msgid="5515023")
    digest(message.connection)
    assert state_of(message) == "delivered"


@pytest.mark.parametrize(
    ("msgid", "keys"),
    [
        ("", []),
        ("5515023", [("5515023", None)]),
        ("78-1633193001", [("78-1633193001", None)]),
        ("78-1633193001.0602", [("78-1633193001.0602", None)]),
        ("78-1633193001.06-11", [("78-1633193001.06-11", None), ("78-1633193001.06", 11)]),
        ("78-1633193001-0", [("78-1633193001-0", None), ("78-1633193001", 0)]),
        ("a-b-c", [("a-b-c", None)]),
        ("a-b-", [("a-b-", None)]),
    ],
)
def test_only_an_id_with_two_hyphens_has_an_index(msgid, keys):
    assert keys_of(msgid) == keys


def test_a_number_beats_an_index_and_says_so():
    first, second = make_sent(2)
    dn(first.connection, to=second, msgid=f"{REF}-0")
    dn(first.connection, "UNDELIVERED", "501", to=first, msgid=f"{REF}-99")
    digest(first.connection)
    assert (state_of(first), state_of(second)) == ("undelivered", "delivered")
    assert {notice.flag for notice in DeliveryNotice.objects.all()} == {"number_beats_index"}


def test_a_number_that_is_not_in_the_request_touches_nobody():
    first, second = make_sent(2)
    dn(first.connection, to=make_mt(connection=first.connection), msgid=f"{REF}-0")
    dn(first.connection, msisdn="6012****066", msgid=f"{REF}-0")
    digest(first.connection)
    assert (state_of(first), state_of(second)) == ("none", "none")
    assert {(one.state, one.flag) for one in DeliveryNotice.objects.all()} == {(State.PARKED, "number_not_in_request")}


def test_without_a_number_the_index_decides_and_without_both_only_a_single_recipient():
    first, second = make_sent(2)
    dn(first.connection, msgid=f"{REF}-1")
    dn(first.connection, msgid=REF)
    digest(first.connection)
    assert (state_of(first), state_of(second)) == ("none", "delivered")
    assert {notice.flag for notice in DeliveryNotice.objects.all()} == {"no_number", "ambiguous_ref"}


def test_a_ref_that_came_twice_is_told_apart_by_the_number_alone():
    connection = make_connection()
    contact = make_contact()
    one, other = make_sent(connection=connection, contact=contact), make_sent(connection=connection, contact=contact)
    (third,) = make_sent(connection=connection)
    dn(connection, to=one[0])
    dn(connection, to=third)
    digest(connection)
    assert (state_of(one[0]), state_of(other[0]), state_of(third)) == ("none", "none", "delivered")
    assert DeliveryNotice.objects.get(state=State.PARKED).flag == "ambiguous_ref"


def test_another_connections_ref_is_not_ours():
    (message,) = make_sent()
    stranger = make_connection()
    dn(stranger, to=message)
    digest(stranger)
    assert state_of(message) == "none"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_shape_of_id_ever_hits_a_wrong_recipient(data, db):
    """F41: whatever index stands behind the ref, only the person with the DN's number is touched."""
    size = data.draw(st.integers(1, 12))
    ref = data.draw(st.sampled_from(["5515023", "78-1633193001", REF, "a-b-1633193001.06"]))
    messages = make_sent(size, ref=ref)
    chosen = data.draw(st.integers(0, size - 1))
    suffix = data.draw(st.sampled_from(["", f"-{chosen}", "-0", "-11", "-99999", "-x", "-0-0"]))
    dn(messages[0].connection, to=messages[chosen], msgid=ref + suffix)
    digest(messages[0].connection)
    touched = [place for place, message in enumerate(messages) if state_of(message) != "none"]
    assert touched in ([], [chosen])
    if suffix in ("", f"-{chosen}") and ("-" in ref or not suffix):
        assert touched == [chosen]


WORDS = ("SENT", "DELIVERED", "UNDELIVERED")


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one by one"])
@pytest.mark.parametrize("literal", [False, True], ids=["", "literal"])
def test_every_order_of_dns_ends_as_the_reference_says(together, literal):
    """F39, R15: all sequences of up to four, read together or each by itself."""
    connection = make_connection(literal_last_dn=literal)
    orders = [order for length in range(1, 5) for order in product(WORDS, repeat=length)]
    messages = [make_mt(connection=connection) for _ in orders]
    for number, message in enumerate(messages):
        make_request([message], ref=f"78-{number}")
    for step in range(4):
        for number, (order, message) in enumerate(zip(orders, messages, strict=True)):
            if step < len(order):
                dn(connection, order[step], to=message, msgid=f"78-{number}", at=NOON + timedelta(seconds=step))
        if not together:
            digest(connection)
    digest(connection)
    for order, message in zip(orders, messages, strict=True):
        assert state_of(message) == reference(order, literal=literal), order


def reference(order: tuple[str, ...], *, literal: bool) -> str:
    state, key = DeliveryState.NONE, None
    for number, word in enumerate(order):
        folded = fold(state, key, Notice(delivery_state_of(word), number), literal=literal)
        state, key = folded.state, folded.applied_key
    return state


def test_what_was_received_later_wins_though_it_is_read_first():
    (message,) = make_sent()
    dn(message.connection, "DELIVERED", to=message, at=NOON + timedelta(seconds=5))
    digest(message.connection)
    dn(message.connection, "UNDELIVERED", "501", to=message, at=NOON)
    digest(message.connection)
    assert state_of(message) == "delivered"
    assert sorted(DeliveryNotice.objects.values_list("state", flat=True)) == [State.APPLIED, State.HISTORY]


def test_an_unknown_status_changes_nothing_but_is_kept():
    (message,) = make_sent()
    dn(message.connection, "BUFFERED", "weird", to=message)
    digest(message.connection)
    assert state_of(message) == "none"
    assert DeliveryNotice.objects.get().state == State.HISTORY


def test_an_early_dn_waits_for_its_request():
    connection = make_connection()
    message = make_mt(connection=connection)
    request = make_request([message], outcome=Outcome.IN_FLIGHT)
    dn(connection, to=message, msgid=f"{REF}-0")
    digest(connection)
    assert retry_parked(NOON) == 0
    assert DeliveryNotice.objects.get().state == State.PARKED
    request.ref, request.outcome = REF, Outcome.ACCEPTED
    request.save()
    assert retry_parked(NOON) == 1
    assert state_of(message) == "delivered"
    assert DeliveryNotice.objects.get().state == State.APPLIED


def test_a_heap_of_strange_dns_hides_no_early_one(monkeypatch):
    """Each tick looks at a page of the older ones; in a few ticks it has been through them all."""
    from messaging.ingest import parked

    monkeypatch.setattr(parked, "PAGE", 10)
    connection = make_connection()
    message = make_mt(connection=connection)
    dn(connection, to=message, at=NOON - timedelta(hours=1))
    for number in range(60):
        dn(connection, msgid=f"nobody-{number}", msisdn="60129999999", at=NOON + timedelta(seconds=number))
    digest(connection)
    make_request([message], ref=REF)
    applied = [retry_parked(NOON) for _ in range(8)]
    assert sum(applied) == 1
    assert DeliveryNotice.objects.filter(state=State.PARKED).count() == 60


@pytest.mark.parametrize("code", ["505", "554"])
def test_a_dead_number_is_marked_for_its_channel_and_said_in_the_timeline(code):
    (message,) = make_sent(channel="sms", lane="sms")
    dn(message.connection, "UNDELIVERED", code, to=message)
    digest(message.connection)
    message.contact.refresh_from_db()
    assert (message.contact.sms_bad_at, message.contact.whatsapp_bad_at) == (NOON, None)
    assert message.contact.sms_bad_notice == DeliveryNotice.objects.get().pk
    assert ConversationEvent.objects.get().kind == ConversationEvent.Kind.NUMBER_BAD


@pytest.mark.parametrize("code", ["506", "501", "562", "575", "000", ""])
def test_other_codes_mark_and_suppress_nobody(code):
    (message,) = make_sent()
    dn(message.connection, "UNDELIVERED", code, to=message)
    digest(message.connection)
    message.contact.refresh_from_db()
    assert message.contact.whatsapp_bad_at is None
    assert not Suppression.objects.exists()


@pytest.mark.parametrize("code", ["561", "571"])
def test_an_opt_out_at_the_carrier_suppresses_that_channel_once(code):
    (message,) = make_sent()
    for second in range(3):
        dn(message.connection, "UNDELIVERED", code, to=message, at=NOON + timedelta(seconds=second))
    digest(message.connection)
    row = Suppression.objects.get()
    assert (row.channel, row.purpose, row.source) == ("whatsapp", "all", ConsentEvent.Source.NOTICE)
    assert ConversationEvent.objects.filter(kind=ConversationEvent.Kind.OPTED_OUT).count() == 1


@pytest.mark.parametrize(("people", "minutes", "state"), [(3, 1, "no_credit"), (2, 1, "ok"), (3, 3, "ok")])
def test_three_people_without_credit_in_five_minutes_stop_the_connection(people, minutes, state):
    messages = make_sent(people)
    connection = messages[0].connection
    Connection.objects.filter(pk=connection.pk).update(state_since=NOON - timedelta(days=1))
    for number, message in enumerate(messages):
        for copy in range(2):
            at = NOON + timedelta(minutes=minutes * number, seconds=copy)
            dn(connection, "UNDELIVERED", "553", to=message, at=at)
    digest(connection)
    connection.refresh_from_db()
    assert connection.state == state
    assert Incident.objects.count() == (1 if state == "no_credit" else 0)


def test_after_a_top_up_the_old_complaints_count_no_more():
    messages = make_sent(3)
    connection = messages[0].connection
    Connection.objects.filter(pk=connection.pk).update(state_since=NOON + timedelta(minutes=1))
    for number, message in enumerate(messages):
        dn(connection, "UNDELIVERED", "553", to=message, at=NOON + timedelta(minutes=number))
    digest(connection)
    connection.refresh_from_db()
    assert connection.state == Connection.State.OK


def test_a_dn_of_a_superseded_attempt_is_history():
    (message,) = make_sent()
    message.attempts.update(superseded_at=NOON)
    dn(message.connection, to=message)
    digest(message.connection)
    assert state_of(message) == "none"
    notice = DeliveryNotice.objects.get()
    assert (notice.state, notice.flag) == (State.HISTORY, "superseded")


def test_a_dn_proves_that_the_provider_has_what_was_unknown():
    (message,) = make_sent()
    message.attempts.update(outcome=Outcome.UNKNOWN)
    Message.objects.update(send_state=SendState.UNKNOWN, accepted_at=None)
    dn(message.connection, "SENT", "20", to=message)
    digest(message.connection)
    message.refresh_from_db()
    assert (message.send_state, message.delivery_state, message.accepted_at) == ("accepted", "sent", NOON)
    assert message.attempts.get().resolved_by == "dn"


def test_a_call_that_breaks_the_batch_is_left_behind_alone(monkeypatch):
    from messaging.ingest import dn as reading

    messages = make_sent(3)
    connection = messages[0].connection
    raws = [dn(connection, to=message) for message in messages]
    whole = reading.read_dn
    culprit = bytes(raws[1].body)

    def fragile(query, content_type, body):
        if body == culprit:
            raise ValueError("poison")
        return whole(query, content_type, body)

    monkeypatch.setattr(reading, "read_dn", fragile)
    digest(connection)
    assert [state_of(message) for message in messages] == ["delivered", "none", "delivered"]
    raws[1].refresh_from_db()
    assert (raws[1].digested_at is not None, raws[1].problem) == (True, "could not be read: ValueError")


def test_a_call_without_a_dn_says_so():
    connection = make_connection()
    raw = make_raw(connection, "dn", b"hello")
    digest(connection)
    raw.refresh_from_db()
    assert (raw.digested_at is not None, raw.problem) == (True, "no delivery notification in it")


def test_one_body_may_carry_many_dns_and_their_order_counts():
    (message,) = make_sent()
    number = message.contact.msisdn
    said = [{"status": status, "msisdn": number, "msgid": REF} for status in ("DELIVERED", "UNDELIVERED")]
    make_raw(message.connection, "dn", json.dumps(said).encode())
    digest(message.connection)
    assert state_of(message) == "undelivered"


@pytest.mark.django_db(transaction=True)
def test_fifty_copies_and_eight_readers_change_the_message_once():
    """F38, R15."""
    (message,) = make_sent()
    for second in range(50):
        dn(message.connection, "UNDELIVERED", "554", to=message, at=NOON + timedelta(seconds=second))
    race(lambda: digest_all(budget_s=5), workers=8)
    digest_all()
    assert state_of(message) == "undelivered"
    assert DeliveryNotice.objects.count() == 50
    assert ConversationEvent.objects.count() == 1
    assert not InboundRaw.objects.filter(digested_at=None).exists()

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pytest

from messaging.ingest import digest_connection, retry_parked
from messaging.models import AuditEvent, DeliveryNotice, Message, Outcome, ProviderRequest, ResolvedBy
from messaging.sending import send_again, treat_as_not_sent, treat_as_sent
from tests.factories import make_connection, make_contact, make_mt, make_raw, make_request, make_user
from tests.messaging.ingest.test_dn import NOON

pytestmark = pytest.mark.django_db

REF = "78-1633193001.0602"
LATER = NOON + timedelta(minutes=1)


def make_unknown(connection, *contacts, began=NOON, **fields) -> ProviderRequest:
    """A request that nobody answered."""
    messages = [make_mt(connection=connection, contact=contact) for contact in contacts]
    return make_request(messages, outcome=Outcome.UNKNOWN, started_at=began, **fields)


def dn(connection, contact, msgid=REF, at=LATER, status="DELIVERED") -> None:
    said = {"status": status, "error-code": "000", "msisdn": contact.msisdn, "msgid": msgid}
    make_raw(connection, "dn", urlencode(said).encode(), received_at=at)


def settle(connection) -> None:
    digest_connection(connection.pk, kind="dn")
    retry_parked(LATER)


def states(request: ProviderRequest) -> list[tuple[str, str]]:
    messages = Message.objects.filter(attempts__request=request).order_by("attempts__position")
    return [(message.send_state, message.delivery_state) for message in messages]


@pytest.fixture
def person():
    return make_contact()


@pytest.mark.parametrize("msgid", [REF, f"{REF}-0"])
def test_the_one_dn_that_fits_settles_an_unknown_request(connection, person, msgid):
    request = make_unknown(connection, person)
    dn(connection, person, msgid)
    settle(connection)
    assert states(request) == [("accepted", "delivered")]
    request.refresh_from_db()
    assert (request.ref, request.outcome, request.resolved_by) == (REF, "accepted", ResolvedBy.DN)
    assert request.recipients.get().resolved_by == ResolvedBy.DN
    assert Message.objects.get().accepted_at == LATER
    assert AuditEvent.objects.get().act == "request.adopted"


def test_a_dn_that_comes_after_the_doubt_settles_it_without_waiting_for_a_tick(connection, person):
    request = make_unknown(connection, person)
    dn(connection, person)
    digest_connection(connection.pk, kind="dn")
    assert states(request) == [("accepted", "delivered")]


def test_one_dn_settles_everybody_in_the_request_and_theirs_then_match_by_ref(connection):
    people = [make_contact() for _ in range(3)]
    request = make_unknown(connection, *people)
    dn(connection, people[2], f"{REF}-2")
    settle(connection)
    assert states(request) == [("accepted", "none"), ("accepted", "none"), ("accepted", "delivered")]
    dn(connection, people[0], f"{REF}-0", status="UNDELIVERED")
    settle(connection)
    assert states(request)[0] == ("accepted", "undelivered")


def test_sent_and_delivered_together_settle_it_once(connection, person):
    request = make_unknown(connection, person)
    dn(connection, person, status="SENT")
    dn(connection, person, at=LATER + timedelta(seconds=1))
    settle(connection)
    assert states(request) == [("accepted", "delivered")]
    assert set(DeliveryNotice.objects.values_list("state", "flag")) == {("applied", "")}


def refused(request: ProviderRequest) -> bool:
    request.refresh_from_db()
    return request.outcome == Outcome.UNKNOWN and {state for state, _ in states(request)} == {"unknown"}


def test_a_dn_from_before_the_request_is_not_its_own(connection, person):
    request = make_unknown(connection, person, began=LATER + timedelta(seconds=1))
    dn(connection, person)
    settle(connection)
    assert refused(request)


@pytest.mark.parametrize(("late", "taken"), [(timedelta(hours=72), True), (timedelta(hours=72, seconds=1), False)])
def test_after_72_hours_it_is_too_late(connection, person, late, taken):
    request = make_unknown(connection, person)
    dn(connection, person, at=NOON + late)
    settle(connection)
    assert refused(request) is not taken


def test_a_ref_of_another_request_is_not_taken(connection, person):
    request = make_unknown(connection, person)
    make_request([make_mt(connection=connection)], ref=REF)
    dn(connection, person)
    settle(connection)
    assert refused(request)


def test_while_another_request_to_the_number_is_in_flight_nobody_can_tell(connection, person):
    request = make_unknown(connection, person)
    flying = make_request([make_mt(connection=connection, contact=person)], outcome=Outcome.IN_FLIGHT)
    dn(connection, person)
    settle(connection)
    assert refused(request)
    flying.outcome, flying.ref = Outcome.ACCEPTED, "78-2"
    flying.save()
    retry_parked(LATER)
    assert states(request) == [("accepted", "delivered")]


def test_of_two_unknown_requests_to_a_number_none_is_chosen_and_the_dn_is_listed(connection, person):
    requests = [make_unknown(connection, person), make_unknown(connection, person)]
    dn(connection, person)
    settle(connection)
    assert all(refused(request) for request in requests)
    assert DeliveryNotice.objects.get().flag == "ambiguous_number"


def test_of_two_refs_for_one_request_none_is_chosen_not_even_when_one_comes_again(connection, person):
    request = make_unknown(connection, person)
    dn(connection, person, "78-1.1", status="SENT")
    dn(connection, person, "78-1.2", status="SENT")
    settle(connection)
    assert refused(request)
    dn(connection, person, "78-1.1", at=LATER + timedelta(seconds=3))
    settle(connection)
    assert refused(request)


def test_two_requests_apart_in_time_find_each_its_own(connection, person):
    first = make_unknown(connection, person)
    second = make_unknown(connection, person, began=LATER + timedelta(minutes=1))
    dn(connection, person, "78-1.1")
    dn(connection, person, "78-1.2", at=LATER + timedelta(minutes=2))
    settle(connection)
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.ref, second.ref) == ("78-1.1", "78-1.2")


@pytest.mark.parametrize("msgid", [REF, f"{REF}-0", f"{REF}-2"])
def test_the_index_must_be_the_numbers_own(connection, msgid):
    """Without an index only a request of one recipient can be meant."""
    others, person = [make_contact()], make_contact()
    request = make_unknown(connection, *others, person)
    dn(connection, person, msgid)
    settle(connection)
    assert refused(request)
    assert DeliveryNotice.objects.get().flag == "fits_no_request"


def test_a_dn_without_an_id_neither_settles_nor_disturbs(connection, person):
    request = make_unknown(connection, person)
    dn(connection, person, msgid="")
    settle(connection)
    assert refused(request)
    dn(connection, person)
    settle(connection)
    assert states(request) == [("accepted", "delivered")]


def test_another_connections_unknown_is_not_settled(connection, person):
    request = make_unknown(make_connection(), person)
    dn(connection, person)
    settle(connection)
    assert refused(request)


def test_a_superseded_attempt_that_arrived_after_all_keeps_the_second_copy_back(connection, person):
    request = make_unknown(connection, person)
    message = Message.objects.get()
    send_again(message=message, user=make_user(), now=NOON)
    dn(connection, person)
    settle(connection)
    request.refresh_from_db()
    assert request.ref == REF
    assert states(request) == [("accepted", "delivered")]
    assert DeliveryNotice.objects.get().state == "applied"


def test_a_message_that_is_unknown_again_is_not_settled_by_its_first_attempt(connection, person):
    request = make_unknown(connection, person)
    message = Message.objects.get()
    send_again(message=message, user=make_user(), now=NOON)
    again = make_request([message], outcome=Outcome.UNKNOWN, started_at=LATER + timedelta(minutes=1))
    dn(connection, person)
    settle(connection)
    request.refresh_from_db()
    assert (request.ref, states(again)) == (REF, [("unknown", "none")])


def test_what_a_person_decided_also_stands_in_the_way(connection, person):
    """One was judged as sent, and has no ref: its DN must not settle the other."""
    judged, request = make_unknown(connection, person), make_unknown(connection, person)
    treat_as_sent(message=Message.objects.get(attempts__request=judged), user=make_user(), now=NOON)
    dn(connection, person)
    settle(connection)
    assert refused(request)


def test_a_hundred_unknowns_find_their_hundred_dns(connection):
    """R16: one candidate each, all settled, none wrongly."""
    requests = [make_unknown(connection, make_contact()) for _ in range(100)]
    for number, request in enumerate(requests):
        dn(connection, request.recipients.get().message.contact, f"78-{number}.5")
    settle(connection)
    for number, request in enumerate(requests):
        request.refresh_from_db()
        assert request.ref == f"78-{number}.5"
    assert Message.objects.filter(send_state="accepted", delivery_state="delivered").count() == 100


def test_what_a_person_counted_as_sent_gets_its_dn(connection, person):
    request = make_unknown(connection, person)
    treat_as_sent(message=Message.objects.get(), user=make_user(), now=NOON)
    dn(connection, person)
    settle(connection)
    assert states(request) == [("accepted", "delivered")]


def test_a_dn_of_what_never_arrived_as_a_person_said_is_found_and_changes_nothing(connection, person):
    request = make_unknown(connection, person)
    treat_as_not_sent(message=Message.objects.get(), user=make_user(), now=NOON)
    dn(connection, person)
    settle(connection)
    assert DeliveryNotice.objects.get().recipient == request.recipients.get()
    assert states(request)[0][0] == "cancelled"


@pytest.mark.parametrize("ended", ["skipped", "expired", "refused", "cancelled", "stuck"])
def test_a_first_copy_that_arrived_counts_though_the_second_ended_before_it_left(connection, person, ended):
    request = make_unknown(connection, person)
    send_again(message=Message.objects.get(), user=make_user(), now=NOON)
    Message.objects.update(send_state=ended, reason="opted_out")
    dn(connection, person)
    settle(connection)
    assert states(request) == [("accepted", "delivered")]
    assert Message.objects.get().reason == ""

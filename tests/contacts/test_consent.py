from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import pytest
from django.contrib.auth import get_user_model
from django.db import IntegrityError, OperationalError, connection, transaction

from contacts import consent
from contacts.addresses import address_hmac
from contacts.directory import edit_contact, upsert_contact
from contacts.models import ConsentEvent, Contact, Suppression
from tests.contacts.racing import race

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
AISHAH = "60123240066"


@pytest.fixture
def contact(db):
    return upsert_contact(msisdn=AISHAH, name="Aishah")[0]


@pytest.fixture
def agent(db):
    return get_user_model().objects.create_user("agent")


def suppressions(contact):
    return consent.suppressions_for([contact.address_hmac])[bytes(contact.address_hmac)]


def stop(contact, now=NOON, **others):
    return consent.opt_out(contact=contact, **({"source": "person", "words": "STOP", "now": now} | others))


def start(contact, now=LATER, **others):
    return consent.opt_in(contact=contact, **({"source": "person", "words": "START", "now": now} | others))


def test_stop_suppresses_every_purpose_on_every_channel(contact):
    assert stop(contact).changed
    [row] = suppressions(contact)
    assert (row.channel, row.purpose, row.source, row.since) == ("all", "all", "person", NOON)
    assert (row.event.words, row.event.direction, row.event.contact) == ("STOP", "out", contact)


def test_the_same_stop_read_twice_is_one_event(contact):
    assert stop(contact).event == stop(contact).event
    assert ConsentEvent.objects.count() == Suppression.objects.count() == 1


def test_a_second_stop_is_written_down_and_moves_the_suppression_forward(contact):
    stop(contact)
    assert not stop(contact, LATER).changed
    assert [event.at for event in ConsentEvent.objects.all()] == [NOON, LATER]
    assert [row.since for row in suppressions(contact)] == [LATER]


def test_start_lifts_the_persons_own_stop(contact):
    stop(contact)
    assert start(contact).changed
    assert suppressions(contact) == []
    assert [event.direction for event in ConsentEvent.objects.all()] == ["out", "in"]


@pytest.mark.parametrize("source", ["staff", "notice", "import", "api"])
def test_start_lifts_nothing_that_somebody_else_set(contact, source):
    stop(contact, source=source, words="asked by telephone")
    assert not start(contact).changed
    assert [row.source for row in suppressions(contact)] == [source]


@pytest.mark.parametrize("order", [["person", "staff"], ["staff", "person"]])
def test_a_persons_stop_beside_the_staffs_leaves_it_the_staffs(contact, order):
    for minute, source in enumerate(order):
        stop(contact, NOON + timedelta(minutes=minute), source=source)
    start(contact)
    assert [row.source for row in suppressions(contact)] == ["staff"]


def test_a_stop_read_again_after_start_suppresses_nobody(contact):
    stop(contact)
    start(contact)
    assert not stop(contact).changed
    assert suppressions(contact) == []


def test_a_start_read_again_lifts_no_stop_that_came_in_since(contact):
    start(contact, LATER)
    stop(contact, NOON)  # late to arrive
    assert not start(contact, LATER).changed
    assert [row.since for row in suppressions(contact)] == [NOON]


def test_start_read_twice_lifts_no_newer_stop(contact):
    stop(contact)
    start(contact, NOON + timedelta(minutes=1))
    stop(contact, LATER)
    start(contact, NOON + timedelta(minutes=1))
    start(contact, NOON + timedelta(minutes=2))  # late to arrive, said before the second STOP
    assert [row.since for row in suppressions(contact)] == [LATER]


def test_an_opt_in_lifts_what_is_inside_its_scope_only(contact):
    stop(contact, channel="sms")
    stop(contact, channel="whatsapp", purpose="marketing")
    stop(contact)
    start(contact, channel="sms")
    assert {(row.channel, row.purpose) for row in suppressions(contact)} == {("whatsapp", "marketing"), ("all", "all")}


def test_staff_lift_any_suppression_with_their_name_and_the_persons_words(contact, agent):
    stop(contact)
    stop(contact, source="notice", words="571", channel="whatsapp")
    change = start(contact, source="staff", words="Called at 10:40: please write to me again", actor=agent)
    assert change.changed
    assert change.event.actor == agent
    assert suppressions(contact) == []


@pytest.mark.parametrize("lacking", [{"words": "  "}, {"actor": None}])
def test_staff_lift_nothing_without_evidence(contact, agent, lacking):
    stop(contact)
    with pytest.raises(consent.EvidenceNeeded):
        start(contact, **({"source": "staff", "words": "Called", "actor": agent} | lacking))
    assert suppressions(contact)


@pytest.mark.parametrize("source", ["import", "notice"])
def test_no_import_and_no_notice_opts_anybody_in(contact, source):
    stop(contact, source=source)
    with pytest.raises(consent.CannotOptIn):
        start(contact, source=source)
    assert suppressions(contact)


def test_a_scope_that_does_not_exist_is_refused(contact):
    with pytest.raises(ValueError, match="no such scope"):
        stop(contact, channel="telegram")
    with pytest.raises(ValueError, match="no such channel"):
        consent.mark_bad(contact=contact, channel="all", notice_id=1, now=NOON)


def test_an_erased_contact_has_no_address_left_but_the_number_stays_suppressed(contact):
    stop(contact)
    Contact.objects.filter(pk=contact.pk).update(msisdn=None, address_hmac=None, erased_at=NOON)
    with pytest.raises(consent.NoAddress):
        stop(contact, LATER)
    again, created = upsert_contact(msisdn=AISHAH)
    assert created
    assert suppressions(again)


def test_a_suppression_is_copied_to_the_number_once(db):
    contact, _ = upsert_contact(wa_id="MY.1234")
    stop(contact)
    stop(contact, channel="sms")
    Contact.objects.filter(pk=contact.pk).update(msisdn=AISHAH, address_hmac=address_hmac(AISHAH))
    assert consent.copy_suppression(contact=contact) == 2
    assert consent.copy_suppression(contact=contact) == 0
    contact.refresh_from_db()
    assert {row.channel for row in suppressions(contact)} == {"all", "sms"}
    start(contact)
    assert not Suppression.objects.exists()  # under the user id neither, or the next copy would bring it back


def test_suppressions_of_many_addresses_are_one_query(contact, django_assert_num_queries):
    stop(contact)
    other = address_hmac("60133240066")
    with django_assert_num_queries(1):
        found = consent.suppressions_for([contact.address_hmac, other])
    assert [len(found[bytes(contact.address_hmac)]), found[other]] == [1, []]


def test_a_bad_mark_names_the_first_notice_and_can_be_undone(contact):
    assert consent.mark_bad(contact=contact, channel="whatsapp", notice_id=7, now=NOON)
    assert not consent.mark_bad(contact=contact, channel="whatsapp", notice_id=8, now=LATER)
    contact.refresh_from_db()
    assert (contact.whatsapp_bad_at, contact.whatsapp_bad_notice, contact.sms_bad_at) == (NOON, 7, None)
    assert consent.clear_bad(contact=contact, channel="whatsapp")
    assert not consent.clear_bad(contact=contact, channel="whatsapp")
    contact.refresh_from_db()
    assert (contact.whatsapp_bad_at, contact.whatsapp_bad_notice) == (None, None)


@pytest.mark.parametrize(
    "statement", ["UPDATE contacts_consentevent SET words = ''", "DELETE FROM contacts_consentevent"]
)
def test_the_ledger_cannot_be_rewritten_by_sql_either(contact, statement):
    stop(contact)
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert ConsentEvent.objects.get().words == "STOP"


@pytest.mark.django_db(transaction=True)
def test_one_stop_digested_by_many_workers_is_one_event_and_one_suppression(contact):
    changes = race(lambda: stop(contact), workers=8)
    assert ConsentEvent.objects.count() == Suppression.objects.count() == 1
    assert [change.changed for change in changes].count(True) == 1


@pytest.mark.django_db(transaction=True)
def test_stop_and_start_at_once_leave_ledger_and_state_in_agreement(contact):
    said = iter(range(16))

    def speak():
        turn = next(said)
        speaks = stop if turn % 2 else start
        return speaks(contact, NOON + timedelta(seconds=turn))

    race(speak, workers=16)
    assert ConsentEvent.objects.count() == 16
    assert len(suppressions(contact)) == 1  # the last word, by its own time, was STOP


def impatiently(service, contact):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL lock_timeout = '100ms'")
    service(contact)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "service",
    [
        stop,
        start,
        lambda contact: consent.copy_suppression(contact=contact),
        lambda contact: consent.mark_bad(contact=contact, channel="sms", notice_id=1, now=NOON),
        lambda contact: consent.clear_bad(contact=contact, channel="sms"),
        lambda contact: edit_contact(contact=contact, name="Aishah"),
        lambda contact: upsert_contact(msisdn=contact.msisdn),
    ],
    ids=["opt_out", "opt_in", "copy_suppression", "mark_bad", "clear_bad", "edit_contact", "upsert_contact"],
)
def test_every_service_waits_for_a_gate_that_holds_the_contact(contact, service):
    held, release = Event(), Event()

    def gate():
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM contacts_contact WHERE id = %s FOR SHARE", [contact.pk])
            held.set()
            release.wait(timeout=30)
        connection.close()

    thread = Thread(target=gate)
    thread.start()
    try:
        assert held.wait(timeout=30)
        with pytest.raises(OperationalError, match="lock timeout"), transaction.atomic():
            impatiently(service, contact)
    finally:
        release.set()
        thread.join(timeout=30)
    service(contact)

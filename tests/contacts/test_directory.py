from datetime import UTC, datetime
from threading import Thread

import pytest
from django.db import connection, transaction

from contacts import consent
from contacts.directory import edit_contact, upsert_contact
from contacts.models import Contact, Suppression
from tests.contacts.racing import race, wait_until_somebody_waits_for_a_lock

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
AISHAH = "60123240066"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "address",
    [{"msisdn": AISHAH}, {"wa_id": "MY.1234"}, {"msisdn": AISHAH, "wa_id": "MY.1234"}],
    ids=["number", "user id", "both"],
)
def test_fifty_messages_at_once_from_a_new_person_make_one_contact(address):
    results = race(lambda: upsert_contact(**address, name="Aishah"), workers=50)
    assert Contact.objects.count() == 1
    assert {contact.pk for contact, _ in results} == {Contact.objects.get().pk}
    assert [created for _, created in results].count(True) == 1


@pytest.mark.django_db(transaction=True)
def test_a_number_and_a_user_id_that_arrive_apart_and_together_at_once_lose_nothing():
    for turn in range(10):
        number, user = f"6012324{turn:04}", f"MY.{turn}"
        doors = iter([{"msisdn": number}, {"wa_id": user}, {"msisdn": number, "wa_id": user}] * 4)
        race(lambda doors=doors: upsert_contact(**next(doors)), workers=12)
        assert Contact.objects.filter(msisdn=number).count() == 1
        assert Contact.objects.filter(wa_id=user).count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("known", [False, True], ids=["a new person", "a known person"])
def test_fields_that_arrive_at_once_are_all_kept(known):
    if known:
        upsert_contact(msisdn=AISHAH, wa_id="MY.1234")
    keys = iter(f"f{number}" for number in range(30))
    race(lambda: upsert_contact(msisdn=AISHAH, wa_id="MY.1234", fields={next(keys): "x"}), workers=30)
    assert set(Contact.objects.get().fields) == {f"f{number}" for number in range(30)}


@pytest.mark.django_db(transaction=True)
def test_what_another_door_just_wrote_is_kept_when_the_user_id_becomes_known():
    contact, _ = upsert_contact(msisdn=AISHAH)

    def learn():
        upsert_contact(msisdn=AISHAH, wa_id="MY.1234", fields={"tier": "gold"})
        connection.close()

    learner = Thread(target=learn)
    with transaction.atomic():
        edit_contact(contact=contact, fields={"shop": "Muar"})
        learner.start()
        wait_until_somebody_waits_for_a_lock()
    learner.join(timeout=30)
    contact.refresh_from_db()
    assert (contact.wa_id, contact.fields) == ("MY.1234", {"shop": "Muar", "tier": "gold"})


@pytest.mark.django_db
def test_values_are_cleaned_and_a_blank_leaves_what_is_stored():
    upsert_contact(msisdn=AISHAH, name=" Nur\u00a0 Aishah ", language="ms", fields={"shop": " Muar\n", "tier": " "})
    contact, created = upsert_contact(msisdn=AISHAH, name=" ", fields={"shop": "", "visits": "3"})
    assert not created
    contact.refresh_from_db()
    assert (contact.name, contact.language, contact.fields) == ("Nur Aishah", "ms", {"shop": "Muar", "visits": "3"})


@pytest.mark.django_db
def test_a_number_that_becomes_known_joins_the_contact_and_takes_its_opt_out_along():
    stranger, _ = upsert_contact(wa_id="MY.1234")
    consent.opt_out(contact=stranger, source="person", words="STOP", now=NOON)
    known, created = upsert_contact(wa_id="MY.1234", msisdn=AISHAH)
    assert (known.pk, known.msisdn, known.wa_id, created) == (stranger.pk, AISHAH, "MY.1234", False)
    assert [row.source for row in consent.suppressions_for([known.address_hmac])[known.address_hmac]] == ["person"]


@pytest.mark.django_db
def test_a_user_id_that_has_a_contact_of_its_own_stays_there_but_its_opt_out_holds_for_the_number():
    by_number, _ = upsert_contact(msisdn=AISHAH)
    by_user, _ = upsert_contact(wa_id="MY.1234")
    consent.opt_out(contact=by_user, source="person", words="STOP", now=NOON)
    found, created = upsert_contact(msisdn=AISHAH, wa_id="MY.1234")
    assert (found.pk, found.wa_id, created) == (by_number.pk, None, False)
    assert consent.suppressions_for([found.address_hmac])[bytes(found.address_hmac)]


@pytest.mark.django_db
def test_a_person_who_changed_their_number_is_a_new_contact():
    before, _ = upsert_contact(msisdn=AISHAH, wa_id="MY.1234")
    after, created = upsert_contact(msisdn="60133240066", wa_id="MY.1234")
    assert created
    assert after.pk != before.pk
    before.refresh_from_db()
    assert (before.msisdn, before.wa_id, after.wa_id) == (AISHAH, "MY.1234", None)


@pytest.mark.django_db
def test_nobody_is_made_without_an_address():
    with pytest.raises(ValueError, match="number or a WhatsApp user id"):
        upsert_contact(name="Aishah")
    assert not Contact.objects.exists()
    assert not Suppression.objects.exists()


@pytest.mark.django_db
def test_staff_can_empty_a_field_on_the_persons_page():
    contact, _ = upsert_contact(msisdn=AISHAH, name="Aishah", language="ms", fields={"shop": "Muar", "tier": "gold"})
    edit_contact(contact=contact, name="  Puan\tAishah ", fields={"shop": " "})
    contact.refresh_from_db()
    assert (contact.name, contact.language, contact.fields) == ("Puan Aishah", "ms", {"tier": "gold"})

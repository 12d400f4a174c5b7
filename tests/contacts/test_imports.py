import csv
import io
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest
from django.db import connection, transaction

from contacts import consent
from contacts.directory import upsert_contact
from contacts.imports import FileRefused, import_file, load, preview, run_import, run_waiting, start_import
from contacts.models import (
    Contact,
    ContactField,
    ContactImport,
    ContactList,
    ImportChange,
    ListMembership,
    Suppression,
)
from tests.contacts.racing import race, wait_until_somebody_waits_for_a_lock
from tests.people import people_csv

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
AISHAH, BALA = "60123240066", "60133240066"


def upload(content, contact_list=None, **how):
    content = content.encode() if isinstance(content, str) else content
    return start_import(file=io.BytesIO(content), file_name="people.csv", contact_list=contact_list, user=None, **how)


def imported(content, contact_list=None, **how):
    done = run_import(upload(content, contact_list, **how).pk)
    assert done.state == "done"
    return done


def counts(done):
    return {"created": done.created, "updated": done.updated, "duplicate": done.duplicate, "bad": done.bad}


def bad_rows(done):
    with done.bad_rows.open("rb") as file:
        return list(csv.reader(io.TextIOWrapper(file, encoding="utf-8-sig", newline="")))


@pytest.mark.django_db
@pytest.mark.parametrize("style", [{}, {"bom": True}, {"delimiter": ";"}, {"bom": True, "delimiter": "\t"}])
def test_two_thousand_people_go_in_and_every_row_is_accounted_for(style):
    people = people_csv(2_000, seed=7, **style)
    done = imported(people.content)
    assert counts(done) == {"created": people.created, "updated": 0, "duplicate": people.duplicate, "bad": people.bad}
    assert done.rows == sum(counts(done).values()) == 2_000
    assert set(Contact.objects.values_list("msisdn", flat=True)) == set(people.msisdns)
    again = imported(people.content)
    assert counts(again) == {"created": 0, "updated": people.created, "duplicate": people.duplicate, "bad": people.bad}
    assert Contact.objects.count() == people.created


@pytest.mark.django_db
def test_a_person_is_stored_as_the_other_doors_store_them():
    imported("Phone,Nama,Bahasa,Baki (RM),店铺\n012-324 0066, Nur\u00a0 Ain ,ms,'-3.50,\n")
    contact = Contact.objects.get()
    assert (contact.msisdn, contact.name, contact.language) == (AISHAH, "Nur Ain", "ms")
    assert contact.fields == {"baki_rm": "-3.50"}
    assert dict(ContactField.objects.values_list("key", "label")) == {"baki_rm": "Baki (RM)", "field_5": "店铺"}
    same, created = upsert_contact(msisdn=AISHAH)
    assert (same.pk, created) == (contact.pk, False)
    hmac = bytes(contact.address_hmac)
    contact.save()
    assert bytes(contact.address_hmac) == hmac


@pytest.mark.django_db
def test_a_blank_cell_leaves_what_is_stored_and_a_filled_one_replaces_it():
    upsert_contact(msisdn=AISHAH, name="Aishah", language="ms", fields={"shop": "Muar", "tier": "gold"})
    done = imported(f"phone,name,language,shop,tier\n{AISHAH},,en, ,silver\n")
    contact = Contact.objects.get()
    assert (contact.name, contact.language, contact.fields) == ("Aishah", "en", {"shop": "Muar", "tier": "silver"})
    assert counts(done) == {"created": 0, "updated": 1, "duplicate": 0, "bad": 0}


@pytest.mark.django_db
def test_a_row_that_changes_nothing_but_a_field_is_stored_and_one_that_changes_nothing_is_not():
    contact, _ = upsert_contact(msisdn=AISHAH, name="Aishah", fields={"shop": "Muar"})
    imported(f"phone,name,shop\n{AISHAH},Aishah,Muar\n")
    assert Contact.objects.get().updated_at == contact.updated_at
    imported(f"phone,name,shop\n{AISHAH},Aishah,Segamat\n")
    assert Contact.objects.get().fields == {"shop": "Segamat"}


@pytest.mark.django_db
def test_what_a_file_changed_of_known_people_is_kept_for_the_first_hundred_of_either_kind(monkeypatch):
    monkeypatch.setattr(load, "BATCH_ROWS", 70)  # so that the hundredth stands inside a batch
    numbers = [f"60123240{n:03}" for n in range(360)]
    for n, number in enumerate(numbers[:300]):
        upsert_contact(msisdn=number, name=f"Old {n}" if n % 3 else "", fields={"shop": "Muar"})
    rows = "".join(f"{number},{f'New {n}' if n % 3 < 2 else f'Old {n}'},Muar\n" for n, number in enumerate(numbers))
    done = imported(f"phone,name,shop\n{rows}")
    assert counts(done) == {"created": 60, "updated": 300, "duplicate": 0, "bad": 0}
    assert (done.renamed, done.changed) == (100, 100)
    done = imported("phone,name,shop\n" + "".join(f"{number},Newer,Muar\n" for number in numbers))
    assert (done.renamed, done.changed) == (360, 0)
    kept = list(done.changes.values_list("row", "contact__msisdn", "old_name", "new_name", "keys"))
    assert kept[:2] == [(2, numbers[0], "New 0", "Newer", []), (3, numbers[1], "New 1", "Newer", [])]
    assert [row for row, *_ in kept] == list(range(2, 102))


@pytest.mark.django_db
def test_a_name_where_there_was_none_is_no_other_name():
    upsert_contact(msisdn=AISHAH, fields={"shop": "Muar"})
    done = imported(f"phone,name,language,shop\n{AISHAH},Aishah,ms,Muar\n")
    assert (done.renamed, done.changed) == (0, 1)
    assert list(done.changes.values_list("old_name", "new_name", "keys")) == [("", "", ["name", "language"])]


@pytest.mark.django_db
def test_an_erased_person_takes_along_what_imports_changed_of_them():
    kept, _ = upsert_contact(msisdn=BALA, name="Bala")
    erased, _ = upsert_contact(msisdn=AISHAH, name="Aishah")
    imported(f"phone,name\n{AISHAH},Mei Ling\n{BALA},Balan\n")
    Contact.objects.filter(pk=erased.pk).update(name="", msisdn=None, address_hmac=None, erased_at=NOON)
    assert [change.contact for change in ImportChange.objects.all()] == [kept]


@pytest.mark.django_db
def test_the_rows_that_were_there_before_are_named_with_the_one_that_counted():
    done = imported(f"phone,name\n{AISHAH},First\n{BALA},Bala\n{AISHAH},Second\n{AISHAH},\n")
    assert done.duplicate_rows == [[4, 2], [5, 2]]
    many = imported("phone\n" + f"{AISHAH}\n" * 150)
    assert (many.duplicate, len(many.duplicate_rows)) == (149, 100)


@pytest.mark.django_db
def test_the_first_of_several_rows_with_one_number_counts():
    done = imported("phone,name\n012-324 0066,First\n+60123240066,Second\n0123240066,\n")
    assert Contact.objects.get().name == "First"
    assert counts(done) == {"created": 1, "updated": 0, "duplicate": 2, "bad": 0}


@pytest.mark.django_db
def test_everybody_good_joins_the_list_once():
    muar = ContactList.objects.create(name="Muar")
    upsert_contact(msisdn=BALA)
    for _ in range(2):
        imported(f"phone\n{AISHAH}\n{BALA}\n{AISHAH}\n03-21641234\n", muar)
    assert set(muar.members.values_list("msisdn", flat=True)) == {AISHAH, BALA}
    assert ListMembership.objects.count() == 2


@pytest.mark.django_db
def test_no_import_lifts_a_suppression():
    contact, _ = upsert_contact(msisdn=AISHAH)
    consent.opt_out(contact=contact, source="person", words="STOP", now=NOON)
    Contact.objects.filter(pk=contact.pk).update(msisdn=None, address_hmac=None, erased_at=NOON)
    imported(f"phone,name\n{AISHAH},Aishah\n")
    back = Contact.objects.get(msisdn=AISHAH)
    assert back.pk != contact.pk
    assert consent.suppressions_for([back.address_hmac])[bytes(back.address_hmac)] == [Suppression.objects.get()]


@pytest.mark.django_db
def test_bad_rows_come_back_with_row_and_reason():
    done = imported(
        f'Phone,name,note\n{AISHAH},Ain,x\n\n03-2164 1234,"two\nlines",=1+1\n{BALA},{"n" * 201},\n1,2,3,4\n6.01E+10,,\n'
    )
    assert counts(done) == {"created": 1, "updated": 0, "duplicate": 0, "bad": 4}
    header, *rows = bad_rows(done)
    assert header == ["Phone", "name", "note", "row", "reason"]
    assert [row[3] for row in rows] == ["4", "5", "6", "7"]
    assert rows[0] == [
        "03-2164 1234",
        "two\nlines",
        "'=1+1",
        "4",
        "This is a land-line, which cannot receive messages.",
    ]
    assert rows[1][4] == "The name is longer than 200 characters."
    assert rows[2][4] == "This row has more cells than there are headers."
    assert "spreadsheet shortened" in rows[3][4]


@pytest.mark.django_db
@pytest.mark.parametrize("style", [{}, {"delimiter": ";"}])
def test_the_file_of_bad_rows_imports_again_as_it_is(style):
    first = imported(people_csv(300, seed=3, **style).content)
    with first.bad_rows.open("rb") as file:
        content = file.read()
    fields = set(ContactField.objects.values_list("key", flat=True))
    second = imported(content)
    assert counts(second) == {"created": 0, "updated": 0, "duplicate": 0, "bad": first.bad}
    assert [row[:5] + row[6:] for row in bad_rows_of(second, style)] == [
        row[:5] + row[6:] for row in bad_rows_of(first, style)
    ]
    assert set(ContactField.objects.values_list("key", flat=True)) == fields


def bad_rows_of(done, style):
    with done.bad_rows.open("rb") as file:
        return list(csv.reader(io.TextIOWrapper(file, encoding="utf-8-sig", newline=""), **style))


@pytest.mark.django_db
def test_only_the_bad_cells_need_fixing_before_the_rows_go_in():
    done = imported("phone,name,note\n03-2164 1234,Ain,=x\n")
    with done.bad_rows.open("rb") as file:
        fixed = file.read().replace(b"03-2164 1234", b"012-324 0066")
    assert counts(imported(fixed)) == {"created": 1, "updated": 0, "duplicate": 0, "bad": 0}
    contact = Contact.objects.get()
    assert (contact.msisdn, contact.name, contact.fields) == (AISHAH, "Ain", {"note": "=x"})


@pytest.mark.django_db
def test_a_refused_file_leaves_nothing_behind(settings):
    for content in ["", "name\nAin\n", "phone\n\xff", "phone,name\n"]:
        with pytest.raises(FileRefused):
            upload(content.encode("latin-1"))
    settings.IMPORT_MAX_BYTES = 10
    with pytest.raises(FileRefused, match="larger"):
        upload(f"phone\n{AISHAH}\n")
    assert not ContactImport.objects.exists()
    assert not Path(settings.MEDIA_ROOT).exists()


@pytest.mark.django_db
def test_the_user_says_the_encoding_and_where_columns_go():
    content = "who,mobile no,shop\nZoë,0123240066,Muar\n".encode("cp1252")
    with pytest.raises(FileRefused) as refused:
        preview(file=io.BytesIO(content))
    assert refused.value.code == "encoding"
    seen = preview(file=io.BytesIO(content), encoding="cp1252")
    assert (seen.header, seen.rows, seen.sample[0].cells[0]) == (["who", "mobile no", "shop"], 1, "Zoë")
    imported(content, encoding="cp1252", mapping={"who": "name", "mobile no": "msisdn"})
    contact = Contact.objects.get()
    assert (contact.msisdn, contact.name, contact.fields) == (AISHAH, "Zoë", {})


@pytest.mark.django_db
def test_an_upload_that_vanished_fails_in_words():
    started = upload(f"phone\n{AISHAH}\n")
    os.unlink(started.file.path)
    done = run_import(started.pk)
    assert (done.state, done.error) == ("failed", "The uploaded file is no longer there. Upload it again.")
    assert run_import(started.pk) is None


@pytest.mark.django_db(transaction=True)
def test_what_the_database_refuses_fails_the_import_without_a_trace_of_half_a_batch():
    started = upload(f"phone,baki\n{AISHAH},1\n")
    ContactImport.objects.filter(pk=started.pk).update(mapping={"phone": "msisdn", "baki": "Not a key"})
    done = run_import(started.pk)
    assert (done.state, bool(done.error), Contact.objects.count()) == ("failed", True, 0)


@pytest.mark.django_db
def test_whatever_waits_or_was_left_behind_is_run():
    waiting = [upload(f"phone\n{number}\n") for number in (AISHAH, BALA)]
    ContactImport.objects.filter(pk=waiting[0].pk).update(state="running")
    assert run_waiting() == 2
    assert run_waiting() == 0
    assert Contact.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_one_import_is_run_once_however_many_workers_take_it():
    started = upload(people_csv(3_000, seed=5).content)
    results = race(lambda: run_import(started.pk), workers=4)
    assert [done is not None for done in results].count(True) == 1
    started.refresh_from_db()
    assert sum(counts(started).values()) == 3_000
    assert run_import(started.pk) is None


@pytest.mark.django_db(transaction=True)
def test_a_killed_import_goes_on_where_it_stopped_and_its_sums_still_close():
    numbers = [f"6012{2_000_000 + index}" for index in range(60_000)]
    shop = ContactList.objects.create(name="Shop")
    started = upload("phone,name\n" + "".join(f"{number},Ain\n" for number in [*numbers, "03", numbers[0]]), shop)
    run = f"import django; django.setup(); from contacts.imports.service import run_import; run_import({started.pk})"
    home = str(Path(started.file.path).parents[1])
    worker = subprocess.Popen(
        [sys.executable, "-c", run], env=os.environ | {"DATABASE_URL": database_url(), "MEDIA_ROOT": home}
    )
    deadline = time.monotonic() + 60
    while not ContactImport.objects.get(pk=started.pk).created and time.monotonic() < deadline:
        time.sleep(0.01)
    worker.send_signal(signal.SIGKILL)
    worker.wait(timeout=30)
    killed = ContactImport.objects.get(pk=started.pk)
    assert killed.state == "running"
    assert 0 < killed.created < 60_000
    while (done := run_import(started.pk)) is None and time.monotonic() < deadline:
        time.sleep(0.05)  # PostgreSQL has not noticed the death yet
    assert counts(done) == {"created": 60_000, "updated": 0, "duplicate": 1, "bad": 1}
    assert Contact.objects.count() == shop.members.count() == 60_000


def database_url():
    database = connection.settings_dict
    port = f"&port={database['PORT']}" if database["PORT"] else ""
    host = database["OPTIONS"].get("host") or database["HOST"]
    return f"postgres://{database['USER']}:{database['PASSWORD']}@/{database['NAME']}?host={host}{port}"


@pytest.mark.django_db(transaction=True)
def test_people_who_write_during_an_import_are_neither_lost_nor_doubled():
    people = people_csv(12_000, seed=11)
    started = upload(people.content)
    errors = []

    def write_in():
        try:
            for msisdn in people.msisdns[::-40]:
                upsert_contact(msisdn=msisdn, fields={"wrote": "yes"})
        except Exception as error:  # noqa: BLE001
            errors.append(error)
        finally:
            connection.close()

    writers = [Thread(target=write_in) for _ in range(2)]
    for writer in writers:
        writer.start()
    done = run_import(started.pk)
    for writer in writers:
        writer.join(timeout=60)
    assert errors == []
    assert Contact.objects.count() == people.created == done.created + done.updated
    assert Contact.objects.filter(fields__wrote="yes").count() == len(people.msisdns[::-40])


@pytest.mark.django_db(transaction=True)
def test_an_import_locks_people_in_order_of_id_not_of_number():
    older, _ = upsert_contact(msisdn=BALA)
    newer, _ = upsert_contact(msisdn=AISHAH)
    started = upload(f"phone,name\n{AISHAH},Aishah\n{BALA},Bala\n")

    def work():
        run_import(started.pk)
        connection.close()

    worker = Thread(target=work)
    with transaction.atomic():
        Contact.objects.lock(older)
        worker.start()
        wait_until_somebody_waits_for_a_lock()
        assert Contact.objects.select_for_update(no_key=True, nowait=True).get(pk=newer.pk)
    worker.join(timeout=60)
    assert set(Contact.objects.values_list("name", flat=True)) == {"Aishah", "Bala"}


@pytest.mark.django_db(transaction=True)
def test_two_files_with_the_same_people_at_once_make_each_person_once():
    people = people_csv(6_000, seed=13)
    waiting = [upload(people.content).pk, upload(people.content).pk]
    done = race(lambda: run_import(waiting.pop()), workers=2)
    assert Contact.objects.count() == people.created == sum(each.created for each in done)
    assert [sum(counts(each).values()) for each in done] == [6_000, 6_000]


@pytest.mark.django_db
def test_a_file_of_this_machine_joins_a_list_by_name(tmp_path):
    path = tmp_path / "people.csv"
    path.write_text(f"phone\n{AISHAH}\n")
    done = import_file(path, " Pelanggan  Muar ")
    assert done.contact_list.name == "Pelanggan Muar"
    assert done.contact_list.members.get().msisdn == AISHAH

from datetime import timedelta

import pytest
from django.core.files.storage import FileSystemStorage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from contacts.consent import opt_out
from contacts.imports import forget_files, run_import
from contacts.imports.choosing import choose
from contacts.imports.retention import KEPT_FOR
from contacts.models import Contact, ContactImport, ContactList
from messaging.clock import db_now
from tests.factories import make_contact

pytestmark = pytest.mark.django_db(transaction=True)
GOOD = "phone,name\n012-324 0066,Aminah\n+60198765432,Tan\n"
MIXED = "phone;nama;daerah\n012-324 0066;Aminah;Klang\n03-77240000;Pejabat;KL\n12;Siapa;\n"
UNCLEAR = "Pelanggan,Hubungi\nAminah,012-324 0066\n"


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


def upload(client, text, **fields):
    file = SimpleUploadedFile("people.csv", text if isinstance(text, bytes) else text.encode(), "text/csv")
    return client.post(reverse("contact_import"), {"file": file} | fields)


def test_an_uploaded_file_is_imported_by_a_worker_while_the_page_watches(sign_in):
    client = sign_in("composer")
    answer = upload(client, GOOD, new_list="  Klang   parents ")
    imported = ContactImport.objects.get()
    assert answer.url == reverse("import_detail", args=[imported.public_id])
    assert "every 2s" in client.get(answer.url).content.decode()
    run_import(imported.pk)
    page = client.get(answer.url).content.decode()
    assert "every 2s" not in page
    assert {one.name for one in Contact.objects.all()} == {"Aminah", "Tan"}
    assert Contact.objects.filter(lists__name="Klang parents").count() == 2


def test_bad_rows_are_shown_with_their_number_and_reason_and_come_back_as_a_file(sign_in):
    client = sign_in("composer")
    page = upload(client, MIXED).url
    run_import(ContactImport.objects.get().pk)
    shown = client.get(page)
    assert [(row.number, row.cells[1]) for row in shown.context["bad_rows"]] == [("3", "Pejabat"), ("4", "Siapa")]
    assert "land-line" in shown.content.decode()
    file = client.get(reverse("import_bad_rows", args=[ContactImport.objects.get().public_id]))
    assert file["Content-Disposition"] == 'attachment; filename="people.bad.csv"'
    mended = b"".join(file.streaming_content).replace(b"03-77240000", b"0137724000").replace(b"\n12;", b"\n0137724001;")
    upload(client, mended)
    again = run_import(ContactImport.objects.first().pk)
    assert (again.created, again.bad) == (2, 0)


def test_a_viewer_sees_the_counts_but_not_the_rows(sign_in):
    page = upload(sign_in("composer"), MIXED).url
    run_import(ContactImport.objects.get().pk)
    shown = sign_in("viewer").get(page).content.decode()
    assert "2 rows did not go in" in shown
    assert "Pejabat" not in shown


def test_the_mended_rows_go_into_the_list_of_the_file_unless_somebody_says_otherwise(sign_in):
    client = sign_in("composer")
    page = upload(client, MIXED, new_list="Klang parents").url
    run_import(ContactImport.objects.get().pk)
    link = f"{reverse('contact_import')}?mends={ContactImport.objects.get().public_id}"
    assert link in client.get(page).content.decode()
    chosen = client.get(link).context["form"]["contact_list"]
    assert chosen.value() == ContactList.objects.get().pk
    for asked in ("nonsense", ContactList.objects.get().public_id):
        assert client.get(reverse("contact_import"), {"mends": asked}).context["form"]["contact_list"].value() is None


def test_bad_rows_need_nobody_once_they_are_mended_or_somebody_is_done_with_them(sign_in):
    client = sign_in("composer")
    page = upload(client, MIXED).url
    first = run_import(ContactImport.objects.get().pk)
    needs = "people.csv: 2 rows did not go in"
    assert needs in client.get("/").content.decode()
    with SimpleUploadedFile("mended.csv", b"phone,name\n0137724000,Pejabat\n0137724001,12\n") as file:
        client.post(f"{reverse('contact_import')}?mends={first.public_id}", {"file": file})
    assert needs not in client.get("/").content.decode()
    assert "Done with it" in client.get(page).content.decode()
    second = ContactImport.objects.first()
    assert client.post(reverse("import_settle", args=[second.public_id])).status_code == 302
    assert ContactImport.objects.get(pk=second.pk).settled_at is None  # it still waits for a worker


def test_somebody_is_done_with_bad_rows_by_a_button(sign_in):
    client = sign_in("composer")
    page = upload(client, MIXED).url
    done = run_import(ContactImport.objects.get().pk)
    assert reverse("import_settle", args=[done.public_id]) in client.get(page).content.decode()
    client.post(reverse("import_settle", args=[done.public_id]))
    assert reverse("import_settle", args=[done.public_id]) not in client.get(page).content.decode()
    assert "rows did not go in" not in client.get("/").content.decode()


def test_the_report_says_who_has_another_name_now_and_what_else_is_new(sign_in):
    kevin = make_contact(msisdn="60123240066", name="Kevin Tan", fields={"daerah": "Muar"})
    make_contact(msisdn="60198765432", name="Tan", language="ms")
    client = sign_in("composer")
    page = upload(client, "Nama,No. H/P,daerah,bahasa\nMei Ling,012-324 0066,Klang,\nTan,019-876 5432,,en\n").url
    run_import(ContactImport.objects.get().pk)
    shown = client.get(page)
    (renamed,), (changed,) = shown.context["renamed"].shown, shown.context["changed"].shown
    told = renamed.stored
    assert (told.contact, told.old_name, told.new_name, told.row) == (kevin, "Kevin Tan", "Mei Ling", 2)
    assert renamed.also == ["daerah"]
    assert [str(piece.words) for piece in shown.context["bar"].pieces if piece.count] == [
        "Known people who have another name now",
        "Known people, brought up to date",
    ]
    assert (changed.stored.contact.name, changed.also) == ("Tan", ["language"])
    assert "1 known person has another name now" in shown.content.decode()
    assert "Kevin Tan" in shown.content.decode()
    Contact.objects.filter(pk=kevin.pk).update(name="", msisdn=None, address_hmac=None, erased_at=db_now())
    after = client.get(page).content.decode()
    assert "Kevin Tan" not in after
    assert "1 more is not listed" in after


def test_the_report_names_the_rows_that_were_there_before_and_the_columns_in_their_order(sign_in):
    client = sign_in("composer")
    page = upload(client, "Nama penuh,Kg,Nombor\nAin,Sg,0123240066\nBala,,0133240066\nAin,,+60123240066\n").url
    run_import(ContactImport.objects.get().pk)
    shown = client.get(page)
    assert "Row 4 has the number of row 2, which counted." in shown.content.decode()
    assert shown.context["columns"] == [("Nama penuh", "name"), ("Kg", "kg"), ("Nombor", "msisdn")]


def test_the_report_says_how_many_have_opted_out_or_have_no_name(sign_in):
    for msisdn, channels in [("60123240066", ("whatsapp", "sms")), ("60198765432", ()), ("60133240066", ("sms",))]:
        known = make_contact(msisdn=msisdn, name="Bala" if msisdn == "60133240066" else "")
        for channel in channels:
            opt_out(contact=known, source="person", words="STOP", now=db_now(), channel=channel)
    client = sign_in("composer")
    page = upload(client, "phone,name\n012-324 0066,Ain\n012-324 0066,Ain\n013-324 0066,\n019-876 5432,\n").url
    run_import(ContactImport.objects.get().pk)
    shown = client.get(page).content.decode()
    assert "2 people of this file opted out before, and stay opted out." in shown
    assert "1 person of this file has no name." in shown
    page = upload(client, "phone,name\n011-1234 5678,Siti\n").url
    run_import(ContactImport.objects.first().pk)
    assert "of this file" not in client.get(page).content.decode()


def test_dates_written_in_different_ways_are_said_with_a_row_of_each(sign_in):
    rows = [
        "phone,Temu janji,Lahir,Bil",
        "0123240066,30/11/2026,3/1/1990,1.2",
        "0133240066,1.12.2026,,1.2.3",
        "0143240066,1/12/2026,03/01/1990,7/8",
        "0163240066,2026-12-01,12/12/1991,4",
    ]
    client = sign_in("composer")
    page = upload(client, "\n".join(rows)).url
    run_import(ContactImport.objects.get().pk)
    said = "The dates in “Temu janji” are written in different ways: see rows 2, 3, 5. Messages show them as written."
    shown = client.get(page)
    assert shown.context["mixed_dates"] == [said]
    assert said in shown.content.decode()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"PK\x03\x04rest", "Save it as CSV"),
        ("phone,name\n", "nobody below it"),
        (b"phone,name\n0123240066,\xff\xfe\n", "Which encoding"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_in_words_and_nothing_is_kept(text, words, sign_in):
    answer = upload(sign_in("composer"), text)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not ContactImport.objects.exists()


def test_a_refused_file_makes_no_list(sign_in):
    upload(sign_in("composer"), "phone,name\n", new_list="Klang parents")
    assert not ContactList.objects.exists()


def test_no_file_is_said_at_its_field(sign_in):
    answer = sign_in("composer").post(reverse("contact_import"), {})
    assert answer.status_code == 422
    assert "This field is required" in answer.content.decode()


def test_a_failed_import_says_why(sign_in):
    client = sign_in("composer")
    page = upload(client, GOOD).url
    imported = ContactImport.objects.get()
    imported.file.storage.delete(imported.file.name)
    run_import(imported.pk)
    assert "no longer there" in client.get(page).content.decode()


def test_files_go_a_month_after_the_import_and_its_counts_stay(sign_in):
    client = sign_in("composer")
    page = upload(client, MIXED).url
    done = run_import(ContactImport.objects.get().pk)
    files = [done.file, done.bad_rows]
    assert forget_files(done.finished_at + KEPT_FOR) == 0
    assert all(one.storage.exists(one.name) for one in files)
    assert forget_files(done.finished_at + KEPT_FOR + timedelta(seconds=1)) == 1
    assert not any(one.storage.exists(one.name) for one in files)
    assert forget_files(done.finished_at + 2 * KEPT_FOR) == 0
    after = ContactImport.objects.get()
    assert (after.created, after.bad, after.rows) == (done.created, done.bad, done.rows)
    told = client.get(page).content.decode()
    assert "The uploaded file is deleted" in told
    assert reverse("import_bad_rows", args=[done.public_id]) not in told
    link = client.get(reverse("import_bad_rows", args=[done.public_id]), follow=True)
    assert "The file of bad rows is no longer kept" in link.content.decode()
    columns = client.get(reverse("import_columns", args=[done.public_id]), follow=True)
    assert "The uploaded file is no longer there" in columns.content.decode()


def test_a_file_that_cannot_be_deleted_keeps_no_other_one(sign_in, monkeypatch):
    client = sign_in("composer")
    for file in (GOOD, MIXED):
        upload(client, file)
        run_import(ContactImport.objects.latest("pk").pk)
    stubborn, other = ContactImport.objects.order_by("pk")
    delete = FileSystemStorage.delete

    def refuse(storage, name):
        if name == stubborn.file.name:
            raise PermissionError(name)
        delete(storage, name)

    monkeypatch.setattr(FileSystemStorage, "delete", refuse)
    assert forget_files(db_now() + 2 * KEPT_FOR) == 1
    assert not other.file.storage.exists(other.file.name)
    assert stubborn.file.storage.exists(stubborn.file.name)


def test_a_file_that_waits_for_its_columns_goes_after_a_month_and_nobody_of_it_went_in(sign_in):
    upload(sign_in("composer"), UNCLEAR)
    waiting = ContactImport.objects.get()
    assert waiting.state == "columns"
    assert forget_files(waiting.created_at + KEPT_FOR) == 0
    assert waiting.file.storage.exists(waiting.file.name)
    assert forget_files(waiting.created_at + KEPT_FOR + timedelta(seconds=1)) == 1
    assert not waiting.file.storage.exists(waiting.file.name)
    assert not ContactImport.objects.exists()
    assert not Contact.objects.exists()


def test_a_file_whose_columns_are_chosen_at_last_is_kept(sign_in):
    upload(sign_in("composer"), UNCLEAR)
    waiting = ContactImport.objects.get()
    assert choose(contact_import=waiting, mapping={"Hubungi": "msisdn"})
    assert forget_files(waiting.created_at + 2 * KEPT_FOR) == 0
    assert waiting.file.storage.exists(waiting.file.name)


def test_a_file_that_has_yet_to_be_imported_is_kept_however_old_it_is(sign_in):
    upload(sign_in("composer"), GOOD)
    waiting = ContactImport.objects.get()
    assert forget_files(db_now() + 2 * KEPT_FOR) == 0
    assert waiting.file.storage.exists(waiting.file.name)

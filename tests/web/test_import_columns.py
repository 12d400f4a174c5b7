import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from contacts.imports import run_import
from contacts.models import Contact, ContactField, ContactImport, ContactList

pytestmark = pytest.mark.django_db(transaction=True)
CLEAR = "phone,name,daerah\n012-324 0066,Aminah,Klang\n"
NO_NUMBER = "Pesakit,Waris,Daerah\nAminah,012-324 0066,Klang\nTan,019-876 5432,Muar\n"
NUMBER, NAME, LEFT_OUT = "msisdn", "name", ""


@pytest.fixture(autouse=True)
def files(settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def composer(sign_in):
    return sign_in("composer")


def upload(client, text, **fields):
    content = text if isinstance(text, bytes) else text.encode()
    file = SimpleUploadedFile("people.csv", content, "text/csv")
    client.post(reverse("contact_import"), {"file": file} | fields)
    return ContactImport.objects.first()


def page_of(imported):
    return reverse("import_columns", args=[imported.public_id])


def choose(client, imported, *targets):
    return client.post(page_of(imported), {f"column_{place}": target for place, target in enumerate(targets)})


def taken_as(client, imported):
    form = client.get(page_of(imported)).context["form"]
    return {field.label: field.value() for field in form.visible_fields()}


def test_a_file_whose_columns_are_clear_costs_no_further_click(composer):
    assert upload(composer, CLEAR).state == "uploaded"


def test_a_file_without_a_known_number_waits_and_nobody_goes_in(composer):
    imported = upload(composer, NO_NUMBER)
    assert imported.state == "columns"
    assert run_import(imported.pk) is None
    page = composer.get(page_of(imported)).content.decode()
    for words in ("Pesakit", "012-324 0066", "Muar", "Import 2 rows", "Look whether the number"):
        assert words in page
    assert page_of(imported) in composer.get("/").content.decode()
    detail = composer.get(reverse("import_detail", args=[imported.public_id])).content.decode()
    assert page_of(imported) in detail
    assert "every 2s" not in detail


def test_the_only_column_of_phone_numbers_is_offered_as_the_number(composer):
    imported = upload(composer, NO_NUMBER)
    assert taken_as(composer, imported) == {"Pesakit": "pesakit", "Waris": NUMBER, "Daerah": "daerah"}
    both = upload(composer, "Waris,Jiran\n0123240066,0198765432\n")
    assert taken_as(composer, both) == {"Waris": "waris", "Jiran": "jiran"}
    assert "which column holds the number" in composer.get(page_of(both)).content.decode()


def test_the_chosen_columns_are_imported_and_the_report_says_so(composer):
    imported = upload(composer, NO_NUMBER, new_list="Klang")
    answer = choose(composer, imported, NAME, NUMBER, LEFT_OUT)
    assert answer.url == reverse("import_detail", args=[imported.public_id])
    run_import(imported.pk)
    assert set(Contact.objects.values_list("msisdn", "name")) == {("60123240066", "Aminah"), ("60198765432", "Tan")}
    assert Contact.objects.filter(fields={}, lists=ContactList.objects.get()).count() == 2
    shown = composer.get(answer.url)
    assert shown.context["columns"] == [("Pesakit", NAME), ("Waris", NUMBER)]
    assert shown.context["left_out"] == ["Daerah"]
    assert "Chosen by hand" in shown.content.decode()


def test_a_known_field_and_a_new_one_can_be_chosen(composer):
    ContactField.objects.create(key="district", label="District")
    imported = upload(composer, "Waris,Daerah,Kg\n0123240066,Klang,Sg\n")
    page = composer.get(page_of(imported)).content.decode()
    assert '<option value="district">District</option>' in page
    assert re.search(r'<option value="kg" selected>A new field, “Kg”</option>', page)
    choose(composer, imported, NUMBER, "district", "kg")
    run_import(imported.pk)
    assert Contact.objects.get().fields == {"district": "Klang", "kg": "Sg"}


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        ((NAME, LEFT_OUT, LEFT_OUT), "Choose the column that holds the number."),
        ((NUMBER, NUMBER, LEFT_OUT), "“Pesakit” is taken as this already."),
        (("row", NUMBER, "Not a key"), "Select a valid choice"),
    ],
)
def test_a_choice_that_cannot_be_is_said_in_words_and_nothing_starts(targets, words, composer):
    imported = upload(composer, NO_NUMBER)
    answer = choose(composer, imported, *targets)
    assert answer.status_code == 422
    assert words in answer.content.decode()
    imported.refresh_from_db()
    assert imported.state == "columns"


def test_a_new_column_of_words_may_be_the_name_and_is_asked_about_once(composer):
    imported = upload(composer, "phone,Pesakit\n0123240066,Aminah\n")
    assert imported.state == "columns"
    choose(composer, imported, NUMBER, "pesakit")
    run_import(imported.pk)
    assert Contact.objects.get().name == ""
    assert upload(composer, "phone,Pesakit\n0123240066,Aminah\n").state == "uploaded"
    assert upload(composer, "phone,Baki\n0123240066,12.50\n").state == "uploaded"


def test_the_same_headings_are_read_as_they_were_chosen_before(composer):
    choose(composer, upload(composer, NO_NUMBER), NAME, NUMBER, LEFT_OUT)
    next_month = upload(composer, NO_NUMBER.replace("Aminah", "Siti"))
    assert (next_month.state, next_month.mapping) == ("uploaded", {"Pesakit": NAME, "Waris": NUMBER})
    assert upload(composer, NO_NUMBER.replace("Waris", "Penjaga")).state == "columns"


def test_the_file_of_bad_rows_is_read_as_its_own_file_was(composer):
    imported = upload(composer, NO_NUMBER.replace("019-876 5432", "03-2164 1234"))
    choose(composer, imported, NAME, NUMBER, LEFT_OUT)
    run_import(imported.pk)
    bad = composer.get(reverse("import_bad_rows", args=[imported.public_id]))
    mended = upload(composer, b"".join(bad.streaming_content).replace(b"03-2164 1234", b"019-876 5432"))
    assert mended.state == "uploaded"
    run_import(mended.pk)
    assert Contact.objects.get(msisdn="60198765432").name == "Tan"


def test_columns_can_be_looked_at_before_anybody_goes_in(composer):
    imported = upload(composer, CLEAR, look_first="on")
    assert imported.state == "columns"
    assert taken_as(composer, imported) == {"phone": NUMBER, "name": NAME, "daerah": "daerah"}


def test_columns_that_were_read_wrongly_are_mended_by_importing_the_file_again(composer):
    first = upload(composer, "Phone,Name,Pesakit\n012-324 0066,Puan Guru,Aminah\n", new_list="Klang")
    run_import(first.pk)
    detail = composer.get(reverse("import_detail", args=[first.public_id])).content.decode()
    assert "“Name” is the name" in detail
    assert page_of(first) in detail
    answer = choose(composer, first, NUMBER, LEFT_OUT, NAME)
    again = ContactImport.objects.first()
    assert answer.url == reverse("import_detail", args=[again.public_id])
    assert (again.pk != first.pk, again.contact_list) == (True, first.contact_list)
    run_import(again.pk)
    assert Contact.objects.get().name == "Aminah"
    first.refresh_from_db()
    assert first.mapping["Name"] == NAME


def test_of_two_who_choose_at_once_one_starts_the_import(composer):
    imported = upload(composer, NO_NUMBER)
    choose(composer, imported, NAME, NUMBER, LEFT_OUT)
    assert choose(composer, imported, NUMBER, NAME, LEFT_OUT).status_code == 302
    imported.refresh_from_db()
    assert imported.mapping == {"Pesakit": NAME, "Waris": NUMBER}


def test_a_waiting_file_can_be_thrown_away_and_one_that_runs_cannot(composer):
    imported = upload(composer, NO_NUMBER)
    discard = reverse("import_discard", args=[imported.public_id])
    assert composer.post(discard).url == reverse("contact_import")
    assert not ContactImport.objects.exists()
    assert not imported.file.storage.exists(imported.file.name)
    running = upload(composer, CLEAR)
    composer.post(reverse("import_discard", args=[running.public_id]))
    assert ContactImport.objects.get() == running


def test_a_file_without_headings_is_told_from_one_with_them(composer):
    words = "The first row looks like a person"
    bare = upload(composer, "0123240066,Aminah\n0198765432,Tan\n")
    assert words in composer.get(page_of(bare)).content.decode()
    headed = upload(composer, NO_NUMBER)
    assert words not in composer.get(page_of(headed)).content.decode()


TITLED = "Klinik Mesra - senarai 27/11/2026\n\nPesakit;Hubungi\nAminah;012-324 0066\nTan;tiada\n"


def test_a_title_above_the_headings_is_skipped_and_said(composer):
    imported = upload(composer, TITLED)
    assert taken_as(composer, imported) == {"Pesakit": "pesakit", "Hubungi": "hubungi"}
    said = "Lines 1 to 2 were taken as a title, and nobody was looked for in them: Klinik Mesra - senarai 27/11/2026"
    assert said in composer.get(page_of(imported)).content.decode()
    choose(composer, imported, NAME, NUMBER)
    run_import(imported.pk)
    report = composer.get(reverse("import_detail", args=[imported.public_id]))
    assert said in report.content.decode()
    assert [row.number for row in report.context["bad_rows"]] == ["5"]
    assert Contact.objects.get().name == "Aminah"
    upload(composer, TITLED.replace("\n\n", "\n"))
    assert (
        "Line 1 was taken as a title"
        in composer.get(page_of(ContactImport.objects.first()), follow=True).content.decode()
    )


def test_a_file_of_one_column_without_a_number_is_told_why(composer):
    words = "The file seems to have one column only"
    parted = upload(composer, "Senarai kaunter\nPesakit|Hubungi\nAminah|012-324 0066\n")
    assert words in composer.get(page_of(parted)).content.decode()
    assert words not in composer.get(page_of(upload(composer, NO_NUMBER))).content.decode()
    numbers = upload(composer, "Senarai\n012-324 0066\n019-876 5432\n", look_first="on")
    assert words not in composer.get(page_of(numbers)).content.decode()


def test_our_own_columns_and_empty_ones_without_a_title_are_not_asked_about(composer):
    imported = upload(composer, "Waris,,Row,Reason,\n0123240066,,2,bad,\n")
    assert taken_as(composer, imported) == {"Waris": NUMBER}


def test_a_waiting_file_that_vanished_is_said_in_words(composer):
    imported = upload(composer, NO_NUMBER)
    imported.file.storage.delete(imported.file.name)
    assert "no longer there" in composer.get(page_of(imported), follow=True).content.decode()

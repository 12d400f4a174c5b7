import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from contacts.imports import run_import
from contacts.models import Contact, ContactImport, ContactList

pytestmark = pytest.mark.django_db(transaction=True)
GOOD = "phone,name\n012-324 0066,Aminah\n+60198765432,Tan\n"
MIXED = "phone;nama;daerah\n012-324 0066;Aminah;Klang\n03-77240000;Pejabat;KL\n12;Siapa;\n"


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


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name\nAminah\n", "No column holds the number"),
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
    upload(sign_in("composer"), "name\nAminah\n", new_list="Klang parents")
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

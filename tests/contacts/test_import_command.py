import csv

import pytest
from django.core.management import CommandError, call_command

from contacts.models import Contact, ContactList

pytestmark = pytest.mark.django_db


@pytest.fixture
def people(tmp_path):
    def written(text):
        path = tmp_path / "people.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_counts_are_printed_on_one_line_and_bad_rows_lie_beside_the_file(people, capsys):
    path = people("phone,name\n0123240066,Ain\n+60123240066,Ain\n03-21641234,Shop\n")
    call_command("import_contacts", path, list_name="Muar")
    assert capsys.readouterr().out == "created=1 updated=0 duplicate=1 bad=1\n"
    with path.with_name("people.csv.bad.csv").open(encoding="utf-8-sig", newline="") as file:
        assert [row[:3] for row in csv.reader(file)] == [["phone", "name", "row"], ["03-21641234", "Shop", "4"]]
    assert ContactList.objects.get(name="Muar").members.count() == 1


def test_lines_above_the_headings_are_named_beside_the_counts(people, capsys):
    call_command("import_contacts", people("Klinik Mesra\n\nphone,name\n0123240066,Ain\n"))
    printed = capsys.readouterr()
    assert printed.err == "The first 2 line(s) were taken as a title: Klinik Mesra\n"
    assert printed.out == "created=1 updated=0 duplicate=0 bad=0\n"


def test_a_clean_run_leaves_no_file_of_bad_rows(people):
    path = people("phone\n03-21641234\n0123240066\n")
    call_command("import_contacts", path)
    people("phone\n0123240066\n")
    call_command("import_contacts", path)
    assert not path.with_name("people.csv.bad.csv").exists()


def test_a_run_in_which_nobody_goes_in_fails_and_names_the_bad_rows(people, capsys):
    path = people("phone\n03-21641234\n")
    with pytest.raises(CommandError, match=r"^No row could be imported; see people\.csv\.bad\.csv\.$") as failed:
        call_command("import_contacts", path)
    assert failed.value.returncode == 1
    assert capsys.readouterr().out == "created=0 updated=0 duplicate=0 bad=1\n"


@pytest.mark.parametrize(("text", "words"), [("", "empty"), ("name\nAin\n", "No column"), ("phone\n", "nobody below")])
def test_a_file_that_is_refused_is_one_sentence(people, text, words):
    with pytest.raises(CommandError, match=words):
        call_command("import_contacts", people(text))
    assert not Contact.objects.exists()


def test_a_file_that_is_not_there_is_one_sentence(tmp_path):
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_contacts", tmp_path / "nobody.csv")

"""People, lists and conversations."""

from datetime import timedelta

import pytest

from contacts import consent
from contacts.models import ConsentEvent, Contact, ContactField
from messaging import inbox
from messaging.clock import db_now
from tests.factories import make_connection, make_contact, make_conversation, make_list, make_mo, make_user


def test_a_person_is_made_by_number_and_then_changed_by_it(caller):
    body = {"msisdn": "012-324 0066", "name": "  Mei   Ling ", "fields": {"town": "Klang", "empty": " "}}
    made = caller.post("contacts", body)
    assert made.status_code == 201
    assert (made.json()["msisdn"], made.json()["name"]) == ("60123240066", "Mei Ling")
    assert made.json()["fields"] == {"town": "Klang"}
    again = caller.post("contacts", {"msisdn": "+60 12 324 0066", "language": "ms"})
    assert again.status_code == 200
    assert (again.json()["id"], again.json()["name"], again.json()["language"]) == (made.json()["id"], "Mei Ling", "ms")
    assert set(ContactField.objects.values_list("key", flat=True)) == {"town", "empty"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"msisdn": "03-2164 1234"}, "bad_number"),
        ({"msisdn": "0123240066", "fields": {"name": "x"}}, "built_in_field"),
        ({"msisdn": "0123240066", "name": "\U0001d160" * 200}, "does_not_fit"),  # three letters each, once normalised
    ],
)
def test_what_no_person_can_have_is_409(caller, body, code):
    answer = caller.post("contacts", body)
    assert (answer.status_code, answer.json()["code"]) == (409, code)


def test_people_are_found_by_name_by_number_and_page_by_page(caller):
    people = [make_contact(name=f"Person {number}") for number in range(5)]
    mei = make_contact("60123240066", name="Mei")
    consent.opt_out(contact=mei, source=ConsentEvent.Source.PERSON, words="STOP", now=db_now())
    (found,) = caller.get("contacts?search=mei").json()["results"]
    assert [stop["purpose"] for stop in found["opted_out"]] == ["all"]
    assert caller.get("contacts?msisdn=0123240066").json()["results"] == [found]
    assert caller.get(f"contacts/{mei.public_id}").json() == found
    seen, cursor = [], ""
    while cursor is not None:
        answer = caller.get(f"contacts?limit=4{cursor and f'&cursor={cursor}'}").json()
        seen += [one["id"] for one in answer["results"]]
        cursor = answer["next"]
    assert seen == [str(person.public_id) for person in [mei, *reversed(people)]]


def test_a_thousand_people_go_in_at_once_each_with_a_result(caller):
    numbers = [f"6012{3_500_000 + n}" for n in range(998)]
    rows = [{"msisdn": number, "fields": {"no": number}} for number in numbers]
    rows += [{"msisdn": "nonsense"}, {"msisdn": numbers[0], "name": "Mei"}]
    results = caller.post("contacts/bulk", {"contacts": rows}).json()["results"]
    assert Contact.objects.count() == 998
    assert [result["index"] for result in results] == list(range(1000))
    assert (results[998]["id"], results[998]["code"]) == (None, "not_a_number")
    assert (results[999]["id"], results[999]["created"]) == (results[0]["id"], False)
    assert Contact.objects.get(msisdn=numbers[0]).name == "Mei"
    assert caller.post("contacts/bulk", {"contacts": [*rows, rows[0]]}).status_code == 400


def test_lists_are_made_renamed_filled_and_emptied(caller):
    people = [make_contact(), make_contact()]
    made = caller.post("lists", {"name": " Regulars "}).json()
    assert (made["name"], made["people"]) == ("Regulars", 0)
    assert caller.post("lists", {"name": "Regulars"}).json()["code"] == "bad_name"
    path = f"lists/{made['id']}"
    assert caller("patch", path, {"name": "Friends"}).json()["name"] == "Friends"
    ids = [str(person.public_id) for person in people]
    assert caller.post(f"{path}/members", {"contacts": ids}).json() == {"added": 2}
    assert caller.post(f"{path}/members", {"contacts": ids[:1]}).json() == {"added": 0}
    assert caller.post(f"{path}/members", {"contacts": [made["id"]]}).json()["code"] == "unknown_contact"
    assert [one["id"] for one in caller.get(f"{path}/members").json()["results"]] == ids
    assert caller("delete", f"{path}/members/{ids[0]}").json() == {"removed": True}
    assert caller("delete", f"{path}/members/{ids[0]}").json() == {"removed": False}
    assert caller.get(path).json()["people"] == 1


def test_a_conversation_says_whether_free_text_may_go_and_what_was_said(caller, connection):
    contact = make_contact("60123240066", name="Mei")
    now = db_now()
    talk = make_conversation(contact, connection, last_mo_at=now - timedelta(hours=1))
    make_conversation(make_contact(), connection)
    make_mo(connection=connection, contact=contact, body="Is it ready?", timeline_at=now - timedelta(hours=1))
    inbox.add_note(contact=contact, conversation=talk, user=make_user(), text="Call her", now=now)
    (told,) = caller.get("conversations?msisdn=012-3240066").json()["results"]
    assert (told["id"], told["window_open"], told["contact"]["name"]) == (str(talk.public_id), True, "Mei")
    path = f"conversations/{talk.public_id}"
    assert caller.get(path).json()["window_ends_at"] == told["window_ends_at"]
    first = caller.get(f"{path}/timeline?limit=1").json()
    second = caller.get(f"{path}/timeline?limit=1&cursor={first['next']}").json()
    assert [(one["kind"], one["text"]) for one in first["results"] + second["results"]] == [
        ("note", "Call her"),
        ("mo", "Is it ready?"),
    ]
    assert second["next"] is None


def test_a_test_client_sees_nothing_that_went_through_a_live_connection(make_caller, connection):
    live, contact = make_connection(kind="bulk360"), make_contact()
    message = make_mo(connection=live, contact=contact, body="private")
    hidden = make_conversation(contact, live, last_mo_at=db_now())
    shown = make_conversation(contact, connection, last_mo_at=db_now())
    caller = make_caller(live=False)
    assert [one["id"] for one in caller.get("conversations").json()["results"]] == [str(shown.public_id)]
    assert caller.get(f"conversations/{hidden.public_id}").status_code == 404
    assert caller.get(f"conversations/{hidden.public_id}/timeline").status_code == 404
    assert caller.get(f"conversations/{shown.public_id}/timeline").json()["results"] == []
    assert caller.get(f"messages/{message.public_id}").status_code == 404
    assert make_caller().get(f"messages/{message.public_id}").status_code == 200


def test_a_test_key_sees_and_changes_nobody_while_there_are_phones(make_caller, connection):
    contact, caller = make_contact(name="Aminah"), make_caller(live=False)
    assert len(caller.get("contacts").json()["results"]) == 1, "whoever there is, is the sandbox's"
    make_connection(kind="bulk360")
    for answer in (
        caller.get("contacts"),
        caller.get("lists"),
        caller.post("contacts", {"msisdn": contact.msisdn, "name": "Test"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (403, "test_key")
    contact.refresh_from_db()
    assert contact.name == "Aminah"


def test_a_test_key_reads_no_notes_of_staff(make_caller, connection):
    contact = make_contact()
    talk = make_conversation(contact, connection, last_mo_at=db_now())
    inbox.add_note(conversation=talk, contact=contact, user=make_user(), text="private", now=db_now())
    path = f"conversations/{talk.public_id}/timeline"
    assert [one["text"] for one in make_caller().get(path).json()["results"]] == ["private"]
    assert make_caller(live=False).get(path).json()["results"] == []


def test_a_cursor_that_is_none_is_404(caller):
    cursor = make_list().public_id
    assert caller.get(f"contacts?cursor={cursor}").status_code == 404

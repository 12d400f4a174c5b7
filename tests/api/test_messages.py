"""POST /messages, and what became of them."""

from datetime import timedelta

import pytest

from contacts import consent
from contacts.models import ConsentEvent, Contact
from messaging.clock import db_now
from messaging.models import Message
from tests.factories import make_approved_version, make_connection, make_contact, make_conversation, make_mt

NUMBER = "60123240066"


@pytest.fixture
def talk(connection):
    """They wrote an hour ago."""
    return make_conversation(make_contact(NUMBER, name="Mei"), connection, last_mo_at=db_now() - timedelta(hours=1))


def test_free_text_inside_the_window_is_taken(caller, talk):
    answer = caller.post("messages", {"to": "012-324 0066", "text": "Hello", "reference": "A-1"})
    assert answer.status_code == 202
    told = answer.json()
    message = Message.objects.get()
    assert told["id"] == str(message.public_id)
    assert (told["to"], told["lane"], told["reason"], told["status"]) == (NUMBER, "session", "window_open", "queued")
    assert (told["reference"], told["channel"], told["parts"]) == ("A-1", "whatsapp", 1)
    assert told["window_ends_at"] == told["facts"]["window_ends_at"] is not None
    assert [step["kind"] for step in told["steps"]] == ["planned"]
    assert message.client == caller.client
    assert int(answer["RateLimit-Remaining"]) == 599


def test_free_text_outside_the_window_is_refused_with_the_rules_reason(caller, connection):
    answer = caller.post("messages", {"to": NUMBER, "text": "Hello"})
    assert answer.status_code == 409
    assert (answer.json()["code"], answer.json()["lane"]) == ("window_closed", "skipped")
    assert answer.json()["facts"]["last_mo_at"] is None
    assert not Message.objects.exists()


def test_a_template_goes_by_name_or_id_with_its_variables(caller, connection):
    template = make_approved_version("Dear {{name}}, {{day}}?").template
    for name in (template.name, str(template.public_id)):
        body = {"to": NUMBER, "template": name, "variables": {"name": "Mei", "day": "Monday"}}
        assert caller.post("messages", body).json()["lane"] == "template"
    refused = caller.post("messages", {"to": NUMBER, "template": template.name, "variables": {"name": "Mei"}})
    assert (refused.status_code, refused.json()["code"]) == (409, "missing_variable:day")


def test_an_sms_needs_no_window(caller, connection):
    assert caller.post("messages", {"to": NUMBER, "text": "Hi", "channel": "sms"}).json()["lane"] == "sms"


def test_a_dry_run_always_answers_200_and_leaves_nothing_behind(caller, connection):
    answer = caller.post("messages", {"to": NUMBER, "text": "Hello", "dry_run": True})
    assert answer.status_code == 200
    told = answer.json()
    assert (told["id"], told["status"], told["reason"], told["steps"]) == (None, "skipped", "window_closed", [])
    sms = caller.post("messages", {"to": NUMBER, "text": "x" * 200, "channel": "sms", "dry_run": True})
    assert (sms.json()["status"], sms.json()["parts"]) == ("queued", 2)
    assert not Contact.objects.exists()
    assert not Message.objects.exists()


def test_an_opt_out_holds_for_other_systems_too(caller, talk):
    consent.opt_out(contact=talk.contact, source=ConsentEvent.Source.PERSON, words="STOP", now=db_now())
    assert caller.post("messages", {"to": NUMBER, "text": "Hi"}).json()["code"] == "opted_out"


@pytest.mark.parametrize("purpose", ["opt_out_confirmation", "anything"])
def test_no_system_can_pretend_to_confirm_an_opt_out(caller, talk, purpose):
    answer = caller.post("messages", {"to": NUMBER, "text": "Hi", "purpose": purpose})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (400, "/purpose")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"text": "Hi"}, "/to"),
        ({"to": NUMBER}, "/text"),
        ({"to": NUMBER, "text": ""}, "/text"),
        ({"to": NUMBER, "text": 5}, "/text"),
        ({"to": 60123240066, "text": "Hi"}, "/to"),
        ({"to": NUMBER, "text": "Hi", "channel": "fax"}, "/channel"),
        ({"to": NUMBER, "text": "Hi", "dry_run": "yes"}, "/dry_run"),
        ({"to": NUMBER, "text": "Hi", "send_state": "accepted"}, "/send_state"),
        ({"to": NUMBER, "text": "Hi", "template": "x"}, "/text"),
        ({"to": NUMBER, "template": "x", "channel": "sms"}, "/channel"),
        ({"to": NUMBER, "template": "x", "variables": {"Not A Key": "1"}}, "/variables"),
        ([], ""),
    ],
)
def test_what_is_not_as_described_is_400_and_names_the_place(caller, connection, body, pointer):
    answer = caller.post("messages", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert [place["pointer"] for place in answer.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"to": "03-2164 1234", "text": "Hi"}, "bad_number"),
        ({"to": "hello", "text": "Hi"}, "bad_number"),
        ({"to": NUMBER, "text": " \n "}, "no_text"),
        ({"to": NUMBER, "template": "nothing"}, "unknown_template"),
        ({"to": NUMBER, "text": "Hi", "connection": "nothing"}, "unknown_connection"),
    ],
)
def test_what_cannot_be_done_is_409_with_a_code(caller, connection, body, code):
    answer = caller.post("messages", body)
    assert (answer.status_code, answer.json()["code"]) == (409, code)


def test_of_several_connections_one_has_to_be_named(caller, connection):
    other = make_connection()
    body = {"to": NUMBER, "text": "Hi", "channel": "sms"}
    assert caller.post("messages", body).json()["code"] == "connection_needed"
    for name in (other.name, str(other.public_id)):
        assert caller.post("messages", body | {"connection": name}).status_code == 202
    assert {message.connection for message in Message.objects.all()} == {other}


def test_a_message_is_found_by_its_id_and_by_the_clients_own_reference(caller, make_caller, talk):
    sent = caller.post("messages", {"to": NUMBER, "text": "Hi", "reference": "order/1"}).json()
    assert caller.get(f"messages/{sent['id']}").json() == sent
    found = caller.get("messages?reference=order/1").json()
    assert found == {"results": [sent], "next": None}
    assert make_caller().get("messages?reference=order/1").json()["results"] == []


def test_a_message_that_is_only_planned_can_be_read(caller, talk):
    message = make_mt(connection=talk.connection, contact=talk.contact, send_state="planned", lane="")
    assert caller.get(f"messages/{message.public_id}").json()["status"] == "planned"

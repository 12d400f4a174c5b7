"""What an opt-out leaves of a conversation: no way that the rule refuses, and notes for colleagues."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from contacts import consent
from messaging.clock import db_now
from tests.factories import (
    make_approved_version,
    make_mo,
)
from tests.web.conversations.steps import page, sent, url

pytestmark = pytest.mark.django_db


def opt_out(contact, at=None, **scope):
    consent.opt_out(contact=contact, source="person", words="STOP", now=at or db_now(), **scope)


def offered(shown):
    """The ways that the reply box has a button for."""
    buttons = shown.partition('id="reply-buttons"')[2].partition("</form>")[0].partition("</div>")[0]
    return re.findall(r'name="act" value="(\w+)"', buttons)


@pytest.mark.parametrize("written", ["talk", "closed"])
def test_who_opted_out_has_no_window_and_no_button_but_a_sentence_and_notes(written, request, sign_in):
    talk = request.getfixturevalue(written)
    opt_out(talk.contact)
    client = sign_in("agent")
    shown = page(client, talk)
    assert offered(shown) == []
    lane = shown.partition('id="reply-lane"')[2].partition("</form>")[0]
    assert "and have not written since. Nothing can be sent to them until they write here again." in lane
    assert "Once they write START, everything may be sent again." in lane
    for place in (shown, client.get(reverse("conversation_list")).content.decode()):
        assert re.search(r'state--bad">.*Opted out</span>', place)
        assert "window-chip" not in place
        assert "emplate only" not in place
    assert "Keep the note" in shown


def test_what_staff_set_is_not_said_to_be_lifted_by_start(talk, users, sign_in):
    consent.opt_out(contact=talk.contact, source="staff", words="called us", now=db_now(), actor=users["agent"])
    shown = page(sign_in("agent"), talk)
    assert "Nothing can be sent to them until they write here again." in shown
    assert "START" not in shown


def test_who_wrote_after_opting_out_may_be_answered_and_has_a_window_again(talk, sign_in):
    opt_out(talk.contact, at=db_now() - timedelta(minutes=20))
    shown = page(sign_in("agent"), talk)
    assert offered(shown) == ["choose", "send"]
    assert "reply__lane--none" not in shown
    assert "window-chip" in shown


@pytest.mark.parametrize(
    ("written", "scope", "chip", "ways"),
    [
        ("talk", {"channel": "whatsapp"}, "Opted out of WhatsApp", ["sms"]),
        ("closed", {"channel": "whatsapp"}, "Opted out of WhatsApp", ["sms"]),
        ("talk", {"channel": "sms"}, "", ["choose", "send"]),
        ("closed", {"channel": "sms"}, "", ["choose", "hold"]),
        ("closed", {"purpose": "marketing"}, "", ["choose", "sms", "hold"]),
        ("by_sms", {"channel": "sms"}, "Opted out of SMS", []),
        ("by_sms", {"channel": "whatsapp"}, "", ["send"]),
    ],
)
def test_an_opt_out_of_one_channel_leaves_what_the_other_allows(written, scope, chip, ways, request, sign_in):
    talk = request.getfixturevalue(written)
    opt_out(talk.contact, **scope)
    client = sign_in("agent")
    shown = page(client, talk)
    assert offered(shown) == ways
    assert ("reply__lane--none" in shown) is (not ways)
    rows = client.get(reverse("conversation_list")).content.decode()
    for place in (shown.partition('id="talk-badge"')[2].partition("<input")[0], rows):
        assert re.findall("Opted out[^<]*", place) == [chip] * bool(chip)


def test_a_way_that_is_left_is_really_open(talk, sign_in):
    opt_out(talk.contact, channel="whatsapp")
    sign_in("agent").post(url(talk, "conversation_reply"), {"text": "Hello", "act": "sms"})
    assert sent(talk).get().lane == "sms"


def test_without_a_number_for_sms_an_opt_out_of_whatsapp_leaves_nothing(talk, sign_in):
    opt_out(talk.contact, channel="whatsapp")
    consent.mark_bad(contact=talk.contact, channel="sms", notice_id=1, now=db_now())
    shown = page(sign_in("agent"), talk)
    assert offered(shown) == []
    assert "Nothing can be sent here until they write again." in shown


def test_an_open_page_loses_its_buttons_by_a_stop_and_gets_them_back_by_what_they_write(
    talk, aminah, connection, sign_in
):
    client = sign_in("agent")
    seen = {"seen": client.get(url(talk)).context["seen"], "open": "1"}
    opt_out(aminah)
    stopped = client.get(url(talk, "conversation_live"), seen)
    assert 'id="reply-buttons" hx-swap-oob="true"' in stopped.content.decode()
    assert offered(stopped.content.decode()) == []
    assert "reply__lane--none" in stopped.content.decode()
    assert ">Opted out</span>" in stopped.content.decode().partition('id="talk-badge" hx-swap-oob="true"')[2]
    seen["seen"] = client.get(url(talk)).context["seen"]
    make_mo(connection=connection, contact=aminah, body="One question", timeline_at=db_now())
    assert offered(client.get(url(talk, "conversation_live"), seen).content.decode()) == ["choose", "send"]


def test_no_template_is_offered_to_whom_none_may_be_sent(closed, sign_in):
    version = make_approved_version("Dear {{name}}.")
    opt_out(closed.contact)
    shown = sign_in("agent").get(url(closed, "conversation_template"), {"version_id": version.public_id})
    assert "No template can be sent." in shown.content.decode()
    assert 'value="send"' not in shown.content.decode()


@pytest.mark.parametrize(
    ("scope", "words"),
    [
        ({}, "No: opted out of everything"),
        ({"channel": "sms"}, "Not by SMS: opted out of it"),
        ({"purpose": "marketing"}, "No marketing: opted out of it"),
        ({"purpose": "authentication"}, "Opted out of: Every channel: authentication"),
    ],
)
def test_may_we_write_is_answered_with_no_by_what_they_opted_out_of(scope, words, talk, sign_in):
    opt_out(talk.contact, **scope)
    client = sign_in("agent")
    person = client.get(reverse("contact_detail", args=[talk.contact.public_id])).content.decode()
    assert f"<strong>{words}</strong>" in person.partition('id="consent-title"')[2]
    panel = page(client, talk).partition('id="who"')[2].partition("</section>")[0]
    assert re.search(rf'class="state state--bad state--long">.*{words}</span>', panel)

"""A conversation's timeline, who sees it, and what one does beside answering."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from messaging.clock import db_now
from messaging.models import ConversationEvent
from messaging.roles import ROLES
from tests.factories import (
    make_contact,
    make_conversation,
    make_mo,
)
from tests.web.conversations.steps import page, sent, url

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.mark.parametrize("role", ROLES)
def test_everyone_on_the_staff_reads_along_and_only_some_answer(role, talk, sign_in):
    client = sign_in(role)
    shown = page(client, talk)
    may_answer = role in ("agent", "admin")
    assert ('name="text"' in shown) is may_answer
    assert (client.post(url(talk, "conversation_reply"), {"text": "Hi"}).status_code == 302) is may_answer
    assert sent(talk).count() == may_answer


def test_a_stranger_sees_no_conversation(talk, sign_in):
    assert sign_in("stranger").get(url(talk)).status_code == 403


def test_it_waits_for_us_until_it_is_answered_or_needs_no_answer(talk, sign_in):
    client = sign_in("agent")
    shown = page(client, talk)
    client.get(url(talk, "conversation_live"))
    talk.refresh_from_db()
    assert talk.unread == 1
    assert "1 message waits for an answer." in shown
    assert "Nothing to answer" not in page(sign_in("viewer"), talk)
    assert sign_in("viewer").post(url(talk, "conversation_settle"), {"unread": "1"}).status_code == 403
    client.post(url(talk, "conversation_settle"), {"unread": "1"})
    talk.refresh_from_db()
    assert talk.unread == 0
    assert "Nothing to answer" not in page(client, talk)


@pytest.mark.parametrize("seen", ["0", "", "²", "nonsense"])
def test_needing_no_answer_is_said_only_of_what_was_seen(seen, talk, sign_in):
    answer = sign_in("agent").post(url(talk, "conversation_settle"), {"unread": seen}, follow=True)
    assert "They wrote again meanwhile." in answer.content.decode()
    talk.refresh_from_db()
    assert talk.unread == 1


def test_an_answer_ends_the_waiting_at_once(talk, sign_in):
    values = {"text": "Boleh.", "version": talk.version}
    answer = sign_in("agent").post(url(talk, "conversation_reply"), values, headers=HTMX).content.decode()
    settle = answer.partition('id="settle" hx-swap-oob="true"')[2].partition("</div>")[0]
    assert settle
    assert "Nothing to answer" not in settle


def test_a_person_who_waits_by_sms_says_since_when(connection, sign_in):
    at = db_now() - timedelta(minutes=10)
    make_conversation(make_contact(), connection, channel="sms", last_message_at=at, unread=1)
    shown = sign_in("agent").get(reverse("conversation_list"), {"sort": "waiting"}).content.decode()
    assert "waits 10 min" in shown


def test_the_next_conversation_of_the_view_is_one_key_away_also_after_what_was_done_here(talk, closed, sign_in):
    client = sign_in("agent")
    rows = client.get(reverse("conversation_list"), {"view": "all", "sort": "newest"})
    first, second = (row.conversation for row in rows.context["rows"])
    assert rows.content.decode().count('data-key="j"') == 1
    link = re.search(rf'href="({re.escape(url(first))}[^"]*)"', rows.content.decode())[1].replace("&amp;", "&")
    opened = client.get(link)
    assert opened.context["following"].startswith(url(second))
    done = client.post(url(first, "conversation_assign") + "?" + link.partition("?")[2], {"to": "me"}, follow=True)
    assert done.context["following"].startswith(url(second))
    assert client.get(opened.context["following"]).context["following"] == ""
    assert "Next" not in page(client, first)


def test_back_leads_to_the_view_that_one_came_from(talk, sign_in):
    client = sign_in("agent")
    rows = client.get(reverse("conversation_list"), {"view": "waiting"})
    link = re.search(rf'href="({re.escape(url(talk))}[^"]*)"', rows.content.decode())[1].replace("&amp;", "&")
    assert f'href="{reverse("conversation_list")}?view=waiting"' in client.get(link).content.decode()


def test_the_timeline_has_messages_notes_and_consent_in_the_order_of_time(talk, users, sign_in):
    client = sign_in("agent")
    client.post(url(talk, "conversation_note"), {"note": "Call her on Friday."})
    event = {"contact": talk.contact, "kind": ConversationEvent.Kind.OPTED_OUT, "text": "STOP", "at": db_now()}
    ConversationEvent.objects.create(**event)
    shown = page(client, talk)
    assert shown.index("Boleh saya tanya?") < shown.index("Call her on Friday.") < shown.index("Opted out “STOP”")


def test_a_note_without_words_is_refused(talk, sign_in):
    answer = sign_in("agent").post(url(talk, "conversation_note"), {"note": "  "}, follow=True)
    assert "Write a note first." in answer.content.decode()
    assert not ConversationEvent.objects.exists()


def test_what_people_write_is_never_markup(talk, aminah, connection, sign_in):
    make_mo(connection=connection, contact=aminah, body="<img src=x onerror=alert(1)>")
    shown = page(sign_in("agent"), talk)
    assert "&lt;img src=x onerror=alert(1)&gt;" in shown
    assert "<img src=x" not in shown


def test_older_messages_are_one_click_away(talk, aminah, connection, sign_in, monkeypatch):
    monkeypatch.setattr("messaging.web.conversations.views.LIMIT", 3)
    for number in range(4):
        make_mo(connection=connection, contact=aminah, body=f"line {number}", timeline_at=db_now())
    client = sign_in("agent")
    newest = client.get(url(talk))
    assert "line 0" not in newest.content.decode()
    older = client.get(url(talk) + newest.context["earlier"]).content.decode()
    assert "line 0" in older
    assert "line 3" not in older

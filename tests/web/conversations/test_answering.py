"""Answering: in the window, after it, by a template or an SMS, and when somebody else was faster."""

import re
from datetime import timedelta

import pytest

from contacts import consent
from messaging import inbox
from messaging.clock import db_now
from tests.factories import (
    make_approved_version,
    make_mt,
    make_running_campaign,
)
from tests.web.conversations.steps import page, sent, url

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def test_a_reply_in_the_window_is_queued_and_appears(talk, users, sign_in):
    client = sign_in("agent")
    answer = client.post(url(talk, "conversation_reply"), {"text": "Boleh.", "version": talk.version}, headers=HTMX)
    assert answer.status_code == 200
    assert "Boleh." in answer.content.decode()
    assert 'id="timeline"' in answer.content.decode()
    message = sent(talk).get()
    assert (message.send_state, message.lane, message.author) == ("queued", "session", users["agent"])


def test_who_answers_is_right_at_once_after_an_answer(talk, sign_in):
    client = sign_in("agent")
    assert "Nobody yet" in page(client, talk)
    answer = client.post(url(talk, "conversation_reply"), {"text": "Boleh.", "version": talk.version}, headers=HTMX)
    card = answer.content.decode().partition('id="owner" hx-swap-oob="true"')[2]
    assert "Give it back" in card
    assert "Nobody yet" not in card


def test_whoever_reads_along_sees_who_took_it(talk, users, sign_in):
    client = sign_in("viewer")
    seen = {"seen": client.get(url(talk)).context["seen"], "open": "1"}
    inbox.assign(conversation=talk, owner=users["agent"], user=users["agent"], now=db_now())
    card = client.get(url(talk, "conversation_live"), seen).content.decode().partition('id="owner"')[2]
    assert users["agent"].get_username() in card
    assert "<button" not in card


def test_the_menus_count_of_who_waits_falls_with_the_answer(talk, sign_in):
    client = sign_in("agent")
    waiting = re.compile(r'id="(side|menu)-conversation_list"[^>]*>(.*?)</span>')
    talk.unread = 1
    talk.save()
    shown = page(client, talk)
    assert [(where, "1" in count) for where, count in waiting.findall(shown)] == [("menu", True), ("side", True)]
    answer = client.post(url(talk, "conversation_reply"), {"text": "Boleh.", "version": talk.version}, headers=HTMX)
    assert waiting.findall(answer.content.decode()) == [("side", ""), ("menu", "")]


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_reply_after_the_window_comes_back_with_the_reason_and_what_would_work(headers, closed, sign_in):
    values = {"text": "Are you\nthere?", "version": closed.version}
    answer = sign_in("agent").post(url(closed, "conversation_reply"), values, headers=headers)
    shown = answer.content.decode()
    assert answer.status_code == 409
    assert "Not sent." in shown
    assert "24 hours" in shown
    assert "Are you\nthere?" in shown
    assert "Hold back until they write" in shown
    assert "Send as SMS" in shown
    assert not sent(closed).exists()


def test_a_closed_window_offers_other_ways_and_no_send_button(closed, sign_in):
    shown = page(sign_in("agent"), closed)
    assert "Template only" in shown
    assert 'value="hold"' in shown
    assert 'value="send"' not in shown


@pytest.mark.parametrize(("act", "state", "lane"), [("sms", "queued", "sms"), ("hold", "held", "")])
def test_the_kept_text_leaves_as_an_sms_or_waits_for_them(act, state, lane, closed, sign_in):
    sign_in("agent").post(url(closed, "conversation_reply"), {"text": "Hello", "act": act})
    message = sent(closed).get()
    assert (message.send_state, message.lane, message.body) == (state, lane, "Hello")


def test_an_opted_out_person_gets_no_reply_and_the_text_comes_back(talk, aminah, sign_in):
    consent.opt_out(contact=aminah, source="person", words="STOP", now=db_now())
    answer = sign_in("agent").post(url(talk, "conversation_reply"), {"text": "But wait"})
    assert answer.status_code == 409
    assert "They opted out" in answer.content.decode()
    assert "But wait" in answer.content.decode()
    assert not sent(talk).exists()


def test_whoever_answers_second_is_asked_first_and_may_send_anyway(talk, users, sign_in):
    client = sign_in("agent")
    seen = talk.version
    inbox.reply(conversation=talk, user=users["admin"], text="I have it.", now=db_now())
    answer = client.post(url(talk, "conversation_reply"), {"text": "Me too", "version": seen}, headers=HTMX)
    shown = answer.content.decode()
    assert answer.status_code == 409
    assert "Somebody wrote here meanwhile" in shown
    assert "I have it." in shown
    assert "Me too" in shown
    assert "Send anyway" in shown
    again = re.search(r'id="reply-version" value="(\d+)"', shown)[1]
    client.post(url(talk, "conversation_reply"), {"text": "Me too", "version": again}, headers=HTMX)
    assert sent(talk).first().body == "Me too"


def test_an_empty_reply_is_refused_in_words(talk, sign_in):
    answer = sign_in("agent").post(url(talk, "conversation_reply"), {"text": " \n "})
    assert answer.status_code == 409
    assert "Write a text first." in answer.content.decode()


def test_a_template_is_filled_with_what_is_known_and_sent(closed, sign_in):
    version = make_approved_version("Dear {{name}}, we call you on {{day}}.")
    client = sign_in("agent")
    shown = client.get(url(closed, "conversation_template"), {"version_id": version.public_id}).content.decode()
    assert 'value="Tan"' in shown
    assert "Dear Tan, we call you on <mark>{{day}}</mark>." in shown
    values = {"version_id": version.public_id, "v_name": "Tan", "v_day": "Monday", "version": closed.version}
    assert "on Monday." in client.post(url(closed, "conversation_template"), values | {"act": "show"}).content.decode()
    assert not sent(closed).exists()
    client.post(url(closed, "conversation_template"), values | {"act": "send"})
    assert (sent(closed).get().lane, sent(closed).get().variables["day"]) == ("template", "Monday")


def test_the_templates_closest_to_a_draft_come_first_and_the_draft_stays(closed, sign_in):
    near = make_approved_version("Dear {{name}}, your appointment at the clinic is moved to Monday.")
    for body in ("Your parcel is here, {{name}}.", "Happy new year, {{name}}!"):
        make_approved_version(body)
    client = sign_in("agent")
    values = {"act": "choose", "text": "Your appointment on Monday is moved"}
    shown = client.post(url(closed, "conversation_template"), values).content.decode()
    first = shown.partition('<optgroup label="Closest to what you wrote">')[2].partition("</optgroup>")[0]
    assert re.findall(r'<option value="([^"]+)"', first)[0] == str(near.public_id)
    assert len(re.findall(r'<option value="[^"]+"', shown)) == 3
    chosen = client.post(url(closed, "conversation_template"), values | {"version_id": near.public_id})
    assert chosen.status_code == 200
    assert 'name="text" value="Your appointment on Monday is moved"' in chosen.content.decode()
    assert "<optgroup" not in client.post(url(closed, "conversation_template"), {"text": "Xyzzy"}).content.decode()
    assert not sent(closed).exists()


@pytest.mark.parametrize(("text", "words"), [("Salam", "as SMS: 1 part"), ("字" * 71, "as SMS: 2 parts"), (" ", "")])
def test_the_parts_of_an_sms_are_counted_while_it_is_written(text, words, closed, sign_in):
    assert sign_in("agent").post(url(closed, "conversation_parts"), {"text": text}).content.decode() == words
    assert sign_in("viewer").post(url(closed, "conversation_parts"), {"text": text}).status_code == 403


def test_parts_are_counted_only_where_an_sms_may_leave(talk, closed, sign_in):
    client = sign_in("agent")
    assert 'id="reply-parts"' in page(client, closed)
    assert 'id="reply-parts"' not in page(client, talk)


def test_beside_the_thread_stands_what_campaigns_sent_and_what_became_of_it(talk, aminah, connection, sign_in):
    campaign = make_running_campaign(connection, [aminah])
    client = sign_in("agent")
    campaign.messages.update(send_state="planned")
    assert "Campaigns they were in" not in page(client, talk)
    campaign.messages.update(send_state="skipped", reason="opted_out")
    side = page(client, talk).partition("Campaigns they were in")[2].partition("</section>")[0]
    assert campaign.name in side
    assert "Skipped" in side


def test_what_they_answer_is_open_and_what_came_before_is_folded(talk, aminah, connection, sign_in):
    older, answered = (make_running_campaign(connection, [aminah]) for _ in range(2))
    for campaign, minutes in ((older, 30), (answered, 20)):
        at = db_now() - timedelta(minutes=minutes)
        campaign.messages.update(channel="whatsapp", lane="template", send_state="accepted", timeline_at=at)
    client = sign_in("agent")
    folds = {c.pk: f'id="fold-{c.messages.get().pk}"' for c in (older, answered)}
    shown = page(client, talk)
    assert f"{folds[answered.pk]} open>" in shown
    assert f"{folds[older.pk]}>" in shown
    make_mt(connection=connection, contact=aminah, body="Boleh.", timeline_at=db_now(), send_state="accepted")
    assert f"{folds[answered.pk]}>" in page(client, talk), "they were answered"


def test_a_template_with_a_value_missing_is_not_sent(closed, sign_in):
    version = make_approved_version("Dear {{name}}, we call you on {{day}}.")
    values = {"version_id": version.public_id, "v_name": "Tan", "v_day": "", "version": closed.version, "act": "send"}
    assert sign_in("agent").post(url(closed, "conversation_template"), values).status_code == 422
    assert not sent(closed).exists()


def test_a_template_that_is_sent_twice_from_one_page_reaches_the_person_once(closed, sign_in):
    version, client, at = (
        make_approved_version("Dear {{name}}."),
        sign_in("agent"),
        url(closed, "conversation_template"),
    )
    shown = client.get(at, {"version_id": version.public_id}).content.decode()
    values = {"version_id": version.public_id, "v_name": "Tan", "act": "send"}
    values["version"] = re.search(r'name="version" value="(\d+)"', shown)[1]
    assert client.post(at, values).status_code == 302
    again = client.post(at, values)
    assert (again.status_code, sent(closed).count()) == (422, 1)
    assert "Look again, then send." in again.content.decode()
    values["version"] = re.search(r'name="version" value="(\d+)"', again.content.decode())[1]
    assert client.post(at, values).status_code == 302


def test_only_approved_templates_are_offered(closed, sign_in):
    shown = sign_in("agent").get(url(closed, "conversation_template"), {"version_id": "nonsense"})
    assert "No template is approved yet." in shown.content.decode()

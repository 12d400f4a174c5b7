import re
from datetime import timedelta

import pytest
from django.urls import reverse

from contacts import consent
from messaging import inbox
from messaging.clock import db_now
from messaging.models import ApiClient, Conversation, ConversationEvent, Message
from messaging.roles import ROLES
from tests.factories import (
    make_approved_version,
    make_contact,
    make_conversation,
    make_mo,
    make_mt,
    make_raw,
    make_request,
    make_running_campaign,
)
from tests.web.test_pages import FORBIDDEN

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def aminah():
    return make_contact("60123240066", name="Aminah", fields={"ward": "Klang"})


@pytest.fixture
def talk(aminah, connection):
    """Aminah wrote ten minutes ago."""
    at = db_now() - timedelta(minutes=10)
    make_mo(connection=connection, contact=aminah, body="Boleh saya tanya?", timeline_at=at)
    return make_conversation(aminah, connection, last_mo_at=at, unread=1)


@pytest.fixture
def closed(connection):
    """Tan wrote two days ago."""
    at = db_now() - timedelta(days=2)
    tan = make_contact(name="Tan")
    make_mo(connection=connection, contact=tan, body="Hello?", timeline_at=at)
    return make_conversation(tan, connection, last_mo_at=at)


@pytest.fixture
def by_sms(connection):
    """Mei wrote by SMS."""
    at = db_now() - timedelta(minutes=10)
    mei = make_contact(name="Mei")
    make_mo(connection=connection, contact=mei, body="Hello?", channel="sms", timeline_at=at)
    return make_conversation(mei, connection, channel="sms", last_message_at=at)


def url(talk, name="conversation_detail"):
    return reverse(name, args=[talk.public_id])


def page(client, talk):
    return client.get(url(talk)).content.decode()


def sent(talk):
    return Message.objects.mts().filter(contact=talk.contact).order_by("-pk")


# The list


def test_the_newest_come_in_the_order_of_the_times_beside_them(talk, aminah, closed, connection, sign_in):
    """A campaign's message moves no conversation, so it lends it no time either."""
    campaign = make_running_campaign(connection, [aminah, closed.contact])
    campaign.messages.update(channel="whatsapp", send_state="queued", timeline_at=db_now())
    shown = sign_in("agent").get(reverse("conversation_list")).content.decode()
    assert re.findall(r'class="talk__at"><time [^>]+>([^<]+)<', shown) == ["10 min ago", "2 d ago"]
    assert "waits 10 min" in shown
    assert "Boleh saya tanya?" in shown


def test_an_empty_inbox_says_so(sign_in):
    assert "No conversations yet" in sign_in("agent").get(reverse("conversation_list")).content.decode()


def test_a_row_has_name_window_last_line_and_waiting_time(talk, sign_in):
    shown = sign_in("agent").get(reverse("conversation_list")).content.decode()
    assert "Aminah" in shown
    assert "Boleh saya tanya?" in shown
    assert "They wrote:" in shown
    assert "waits 10 min" in shown
    assert "23 h 49 min left" in shown or "23 h 50 min left" in shown


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({}, {"Aminah", "Tan"}),
        ({"view": "waiting"}, {"Aminah"}),
        ({"view": "asks_to_stop"}, set()),
        ({"view": "closing"}, set()),
        ({"view": "nonsense"}, {"Aminah", "Tan"}),
        ({"q": "amin"}, {"Aminah"}),
        ({"q": "012-324 0066"}, {"Aminah"}),
        ({"q": "nobody"}, set()),
        ({"before": "nonsense"}, {"Aminah", "Tan"}),
    ],
)
def test_conversations_are_found_by_view_and_by_name_or_number(query, names, talk, closed, sign_in):
    rows = sign_in("agent").get(reverse("conversation_list"), query).context["rows"]
    assert {row.conversation.contact.name for row in rows} == names


def test_a_long_inbox_goes_on_where_it_stopped(connection, sign_in, monkeypatch):
    monkeypatch.setattr("messaging.web.conversations.views.LIMIT", 2)
    for number in range(3):
        make_conversation(
            make_contact(name=f"P{number}"), connection, last_message_at=db_now() - timedelta(hours=number)
        )
    client = sign_in("agent")
    first = client.get(reverse("conversation_list")).context
    second = client.get(reverse("conversation_list") + first["next"]).context
    names = [row.conversation.contact.name for row in [*first["rows"], *second["rows"]]]
    assert names == ["P0", "P1", "P2"]
    assert second["next"] == ""


def test_the_sort_is_kept_from_page_to_page_and_says_whom_it_leaves_out(talk, closed, connection, sign_in, monkeypatch):
    monkeypatch.setattr("messaging.web.conversations.views.LIMIT", 1)
    make_conversation(make_contact(name="Muthu"), connection, last_mo_at=db_now() - timedelta(hours=20))
    client = sign_in("agent")
    first = client.get(reverse("conversation_list"), {"sort": "time_left"})
    second = client.get(reverse("conversation_list") + first.context["next"])
    shown = [row.conversation.contact.name for row in [*first.context["rows"], *second.context["rows"]]]
    assert shown == ["Muthu", "Aminah"]
    assert '<option value="time_left" selected>' in second.content.decode()
    assert "Only people who wrote to us on WhatsApp within 24 hours" in second.content.decode()


@pytest.mark.parametrize(("view", "sort"), [("all", "newest"), ("closing", "time_left"), ("waiting", "newest")])
def test_each_view_begins_with_its_own_sort(view, sort, talk, sign_in):
    shown = sign_in("agent").get(reverse("conversation_list"), {"view": view}).content.decode()
    assert f'<option value="{sort}" selected>' in shown


def test_the_inbox_asks_the_same_number_of_questions_for_one_conversation_and_for_thirty(
    connection, sign_in, django_assert_max_num_queries
):
    def more(count):
        for _each in range(count):
            person = make_contact()
            make_mo(connection=connection, contact=person)
            make_conversation(person, connection, last_mo_at=db_now())

    client = sign_in("agent")
    more(1)
    client.get(reverse("conversation_list"))
    with django_assert_max_num_queries(40) as few:
        client.get(reverse("conversation_list"))
    more(29)
    with django_assert_max_num_queries(len(few)):
        client.get(reverse("conversation_list"))


# The thread


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


# Answering


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


# Live, and the rest


def test_a_page_that_is_up_to_date_hears_nothing_and_an_old_one_gets_what_is_new(talk, aminah, connection, sign_in):
    client = sign_in("agent")
    seen = {"seen": client.get(url(talk)).context["seen"], "open": "1"}
    assert client.get(url(talk, "conversation_live"), seen).status_code == 204
    make_mo(connection=connection, contact=aminah, body="Masih ada?")
    part = client.get(url(talk, "conversation_live"), seen).content.decode()
    assert "Masih ada?" in part
    assert "<textarea" not in part


def test_a_minute_later_the_time_left_is_told_and_nothing_else(talk, sign_in):
    client = sign_in("agent")
    shown = client.get(url(talk))
    seen = {"seen": shown.context["seen"], "open": "1", "left": shown.context["left"]}
    assert client.get(url(talk, "conversation_live"), seen).status_code == 204
    Conversation.objects.filter(pk=talk.pk).update(last_mo_at=talk.last_mo_at - timedelta(hours=1))
    part = client.get(url(talk, "conversation_live"), seen).content.decode()
    assert "22 h 4" in part
    assert 'id="talk-badge" hx-swap-oob="true"' in part
    assert 'id="timeline"' not in part


def test_what_an_mo_changed_about_the_person_is_told_to_an_open_page(talk, aminah, sign_in):
    client = sign_in("agent")
    seen = {"seen": client.get(url(talk)).context["seen"], "open": "1"}
    consent.opt_out(contact=aminah, source="person", words="STOP", now=db_now())
    Conversation.objects.filter(pk=talk.pk).update(asks_to_stop=True, unread=2)
    part = client.get(url(talk, "conversation_live"), seen).content.decode()
    assert "They may have asked us to stop" in part.partition('id="asks-to-stop" hx-swap-oob="true"')[2]
    assert "state--bad" in part.partition('id="who" hx-swap-oob="true"')[2].partition("</section>")[0]
    assert "2 messages wait for an answer." in part


def test_a_window_that_closes_changes_the_label_and_leaves_the_text_alone(talk, sign_in):
    client = sign_in("agent")
    seen = {"seen": client.get(url(talk)).context["seen"], "open": "1"}
    talk.last_mo_at = db_now() - timedelta(hours=25)
    talk.save()
    part = client.get(url(talk, "conversation_live"), seen).content.decode()
    assert "Template only" in part
    assert "<textarea" not in part


def test_a_change_of_delivery_is_news(talk, aminah, connection, sign_in):
    message = make_mt(connection=connection, contact=aminah, send_state="accepted")
    client = sign_in("agent")
    seen = {"seen": client.get(url(talk)).context["seen"], "open": "1"}
    Message.objects.filter(pk=message.pk).update(delivery_state="delivered")
    assert "Delivered" in client.get(url(talk, "conversation_live"), seen).content.decode()


def test_the_page_asks_every_second_while_an_answer_is_on_its_way_and_not_for_ever(talk, aminah, connection, sign_in):
    client = sign_in("agent")
    assert 'hx-trigger="every 3s"' in page(client, talk)
    message = make_mt(connection=connection, contact=aminah, send_state="accepted", timeline_at=db_now())
    shown = client.get(url(talk))
    assert 'hx-trigger="every 1s"' in shown.content.decode()
    Message.objects.filter(pk=message.pk).update(timeline_at=db_now() - timedelta(minutes=2))
    part = client.get(url(talk, "conversation_live"), {"seen": shown.context["seen"], "open": "1"})
    assert 'hx-trigger="every 3s"' in part.content.decode()


def test_somebody_takes_it_on_and_gives_it_back(talk, users, sign_in):
    client = sign_in("agent")
    client.post(url(talk, "conversation_assign"), {"to": "me"})
    talk.refresh_from_db()
    assert talk.owner == users["agent"]
    client.post(url(talk, "conversation_assign"), {"to": "nobody"})
    talk.refresh_from_db()
    assert talk.owner is None


@pytest.mark.parametrize(("to", "words"), [("agent", "Taken by agent"), ("composer", "Given to composer · agent")])
def test_who_takes_it_and_who_gives_it_are_told_apart(to, words, talk, users, sign_in):
    inbox.assign(conversation=talk, owner=users[to], user=users["agent"], now=db_now())
    assert words in re.sub(r"<[^>]+>", "", page(sign_in("agent"), talk))


def test_words_that_may_mean_stop_are_read_by_a_person(talk, aminah, sign_in):
    talk.asks_to_stop = True
    talk.save()
    client = sign_in("agent")
    assert "They may have asked us to stop" in page(client, talk)
    assert "Nothing more is sent to Aminah" in client.get(url(talk, "conversation_stop")).content.decode()
    client.post(url(talk, "conversation_stop"))
    talk.refresh_from_db()
    assert not talk.asks_to_stop
    (suppression,) = consent.suppressions_for([bytes(aminah.address_hmac)])[bytes(aminah.address_hmac)]
    assert suppression.event.words == "Boleh saya tanya?"


def test_words_that_meant_something_else_change_nothing_more(talk, aminah, sign_in):
    talk.asks_to_stop = True
    talk.save()
    sign_in("agent").post(url(talk, "conversation_no_stop"))
    talk.refresh_from_db()
    assert not talk.asks_to_stop
    assert not consent.suppressions_for([bytes(aminah.address_hmac)])[bytes(aminah.address_hmac)]


def test_a_messages_details_tell_its_steps_and_only_some_see_the_wire(talk, aminah, connection, sign_in):
    raw = make_raw(connection, "mo", b"from=60123240066&text=Hi")
    message = make_mo(connection=connection, contact=aminah, body="Hi", raw=raw)
    target = reverse("message_detail", args=[message.public_id])
    assert "from=60123240066" in sign_in("agent").get(target).content.decode()
    viewed = sign_in("viewer").get(target)
    assert viewed.status_code == 200
    assert "60123240066" not in viewed.content.decode()


def test_a_messages_own_page_has_its_text_and_leads_back_to_the_conversation(talk, sign_in):
    message = Message.objects.get(contact=talk.contact)
    shown = sign_in("viewer").get(reverse("message_detail", args=[message.public_id])).content.decode()
    assert "Boleh saya tanya?" in shown
    assert shown.count(url(talk)) == 2
    assert reverse("conversation_list") in shown[shown.index('class="crumbs"') :]


def test_only_an_sms_has_parts_in_its_details(talk, aminah, connection, sign_in):
    for lane, told in (("template", False), ("sms", True)):
        message = make_mt(connection=connection, contact=aminah, lane=lane, parts=2)
        shown = sign_in("agent").get(reverse("message_detail", args=[message.public_id])).content.decode()
        assert ("SMS parts" in shown) is told


def test_the_details_of_ours_name_code_and_reference_and_no_secret(talk, aminah, connection, sign_in):
    message = make_mt(connection=connection, contact=aminah)
    make_request([message], ref="17.1234", code="200", http_status=200)
    shown = sign_in("agent").get(reverse("message_detail", args=[message.public_id])).content.decode()
    assert "ref 17.1234" in shown
    assert connection.app_secret not in re.sub(r"<[^>]+>", "", shown)


def test_no_page_carries_what_the_csp_forbids(talk, closed, sign_in):
    client = sign_in("agent")
    pages = [reverse("conversation_list"), url(talk), url(closed), url(closed, "conversation_template")]
    for address in pages:
        shown = client.get(address).content.decode()
        assert not FORBIDDEN.findall(shown), address
        ids = re.findall(r'\sid="([^"]+)"', shown)
        assert len(ids) == len(set(ids)), address


def test_a_viewer_sees_no_whole_numbers(talk, aminah, sign_in):
    for address in (reverse("conversation_list"), url(talk)):
        shown = sign_in("viewer").get(address).content.decode()
        assert aminah.msisdn not in shown
        assert aminah.pretty_number not in shown


def test_what_another_system_sent_says_which(talk, users, sign_in):
    client = ApiClient.objects.create(name="Front desk", owner=users["admin"], scopes=["send"])
    make_mt(connection=talk.connection, contact=talk.contact, client=client, send_state="queued", body="It is ready.")
    assert "Front desk (API)" in page(sign_in("agent"), talk)

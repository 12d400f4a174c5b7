"""What an open page hears, who has taken it, and a message's own details."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from contacts import consent
from messaging import inbox
from messaging.clock import db_now
from messaging.models import ApiClient, Conversation, Message
from tests.factories import (
    make_mo,
    make_mt,
    make_raw,
    make_request,
)
from tests.web.conversations.steps import page, url
from tests.web.test_pages import FORBIDDEN

pytestmark = pytest.mark.django_db


def test_a_page_that_is_up_to_date_hears_nothing_and_an_old_one_gets_what_is_new(talk, aminah, connection, sign_in):
    client = sign_in("agent")
    seen = {"seen": client.get(url(talk)).context["seen"], "open": "1"}
    assert client.get(url(talk, "conversation_live"), seen).status_code == 204
    make_mo(connection=connection, contact=aminah, body="Masih ada?")
    part = client.get(url(talk, "conversation_live"), seen).content.decode()
    assert "Masih ada?" in part
    assert "<textarea" not in part


def test_a_connection_that_stops_is_told_to_an_open_page(talk, sign_in):
    client = sign_in("agent")
    shown = client.get(url(talk))
    assert "What you send waits" not in shown.content.decode()
    type(talk.connection).objects.update(state="no_credit")
    part = client.get(url(talk, "conversation_live"), {"seen": shown.context["seen"], "open": "1"}).content.decode()
    assert "Stopped: no credit" in part.partition('id="talk-stopped" hx-swap-oob="true"')[2]
    assert "What you send waits until it is resumed, and then leaves by itself if it still may." in page(client, talk)
    assert "What you send waits" not in page(sign_in("viewer"), talk)


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

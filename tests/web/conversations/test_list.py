"""The inbox: its rows, views, sorts and pages."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse

from messaging.clock import db_now
from tests.factories import (
    make_contact,
    make_conversation,
    make_mo,
    make_mt,
    make_running_campaign,
)

pytestmark = pytest.mark.django_db


def test_the_newest_come_in_the_order_of_the_times_beside_them(talk, aminah, closed, connection, sign_in):
    """A campaign's message moves no conversation, so it lends it no time either."""
    campaign = make_running_campaign(connection, [aminah, closed.contact])
    campaign.messages.update(channel="whatsapp", send_state="queued", timeline_at=db_now())
    shown = sign_in("agent").get(reverse("conversation_list")).content.decode()
    assert re.findall(r'class="talk__at"><time [^>]+>([^<]+)<', shown) == ["10 min ago", "2 d ago"]
    assert "waits 10 min" in shown
    assert "Boleh saya tanya?" in shown


def test_the_views_count_anew_with_the_list(talk, sign_in):
    shown = sign_in("agent").get(reverse("conversation_list")).content.decode()
    assert 'hx-select-oob="#views,' in shown
    assert re.search(r'<nav class="inbox__views" id="views".*?id="view-waiting"', shown, re.DOTALL)


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
    ("states", "marked"),
    [
        ({"send_state": "unknown"}, ["Unknown: it may or may not have left"]),
        ({"send_state": "accepted", "delivery_state": "undelivered"}, ["Not delivered"]),
        ({"send_state": "accepted", "delivery_state": "delivered"}, []),
    ],
)
def test_a_row_marks_an_answer_of_ours_that_did_not_arrive(states, marked, talk, users, sign_in):
    make_mt(connection=talk.connection, contact=talk.contact, author=users["agent"], timeline_at=db_now(), **states)
    shown = sign_in("agent").get(reverse("conversation_list")).content.decode()
    assert re.findall(r'class="state state--\w+"><svg.*?</svg>([^<]+)</span>', shown) == marked


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

from __future__ import annotations

from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from contacts import consent
from messaging import inbox, sending
from messaging.errors import Incomplete
from messaging.inbox import ReplyRefused, StaleConversation
from messaging.models import Conversation, ConversationEvent, DeliveryNotice, Message, Outcome
from messaging.policy import Reason
from messaging.statuses import SendState
from tests.factories import (
    make_approved_version,
    make_connection,
    make_contact,
    make_conversation,
    make_mo,
    make_mt,
    make_raw,
    make_request,
    make_running_campaign,
    make_user,
    make_version,
)

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(hours=24)


@pytest.fixture
def contact():
    return make_contact("60123240066", name="Aisyah")


@pytest.fixture
def agent():
    return make_user("agent", "agent")


@pytest.fixture
def talk(connection, contact):
    """They wrote at noon."""
    make_mo(connection=connection, contact=contact, body="Is it ready?", timeline_at=NOON)
    return make_conversation(contact, connection, last_mo_at=NOON, unread=1)


def test_a_reply_is_queued_as_the_answer_to_their_latest_mo(talk, agent):
    message = inbox.reply(conversation=talk, user=agent, text="  Yes!\r\nCome. ", now=NOON + HOUR)
    message.refresh_from_db()
    assert (message.send_state, message.lane, message.reason) == ("queued", "session", "window_open")
    assert (message.body, message.author, message.answers.body) == ("Yes!\nCome.", agent, "Is it ready?")
    talk.refresh_from_db()
    assert (talk.unread, talk.version, talk.owner, talk.last_message_at) == (0, 1, agent, NOON + HOUR)


@pytest.mark.parametrize(
    ("after", "leaves"),
    [
        (DAY - timedelta(seconds=60), True),
        (DAY - timedelta(seconds=59), False),
        (DAY, False),
        (DAY + timedelta(seconds=1), False),
    ],
)
def test_a_reply_needs_the_window_and_its_margin(talk, agent, after, leaves):
    if leaves:
        assert inbox.reply(conversation=talk, user=agent, text="Yes", now=NOON + after).send_state == SendState.QUEUED
    else:
        with pytest.raises(ReplyRefused):
            inbox.reply(conversation=talk, user=agent, text="Yes", now=NOON + after)


def test_a_refusal_says_why_until_when_and_what_else_is_possible_and_leaves_nothing(talk, agent):
    with pytest.raises(ReplyRefused) as refused:
        inbox.reply(conversation=talk, user=agent, text="Yes", now=NOON + DAY + HOUR)
    assert (refused.value.code, refused.value.verdict.reason) == (Reason.WINDOW_CLOSED, Reason.WINDOW_CLOSED)
    assert refused.value.verdict.window_ends_at == NOON + DAY
    assert "Tue 3 Mar 20:00" in refused.value.words  # Kuala Lumpur
    assert refused.value.choices == ["template", "sms", "hold"]
    assert not Message.objects.mts().exists()
    talk.refresh_from_db()
    assert (talk.version, talk.unread) == (0, 1)


def test_the_same_words_may_go_as_an_sms_or_wait_until_they_write(talk, agent):
    late = NOON + DAY + HOUR
    sms = inbox.reply(conversation=talk, user=agent, text="Yes", now=late, channel="sms")
    assert (sms.send_state, sms.lane, sms.channel) == ("queued", "sms", "sms")
    held = inbox.reply(conversation=talk, user=agent, text="Yes", now=late, hold=True)
    held.refresh_from_db()
    assert (held.send_state, held.held_for, held.held_until) == ("held", "until_reply", None)


def test_an_open_window_makes_holding_needless(talk, agent):
    assert inbox.reply(conversation=talk, user=agent, text="Yes", now=NOON + HOUR, hold=True).send_state == "queued"


def test_who_opted_out_gets_no_answer_to_what_they_wrote_before(talk, agent, contact):
    consent.opt_out(contact=contact, source="person", words="STOP", now=NOON + MINUTE)
    with pytest.raises(ReplyRefused) as refused:
        inbox.reply(conversation=talk, user=agent, text="Yes", now=NOON + HOUR)
    assert refused.value.code == Reason.OPTED_OUT
    assert refused.value.choices == []


def test_who_writes_after_opting_out_may_be_answered(talk, agent, contact, connection):
    consent.opt_out(contact=contact, source="person", words="STOP", now=NOON + MINUTE)
    make_mo(connection=connection, contact=contact, body="One question…", timeline_at=NOON + 2 * MINUTE)
    assert inbox.reply(conversation=talk, user=agent, text="Yes", now=NOON + HOUR).send_state == SendState.QUEUED


OPT_OUTS = [
    {},
    {"channel": "all", "purpose": "all"},
    {"channel": "whatsapp", "purpose": "all"},
    {"channel": "sms", "purpose": "service"},
    {"channel": "all", "purpose": "marketing"},
]


@pytest.mark.parametrize("wrote", [None, MINUTE, 2 * MINUTE, 3 * MINUTE])
@pytest.mark.parametrize("scope", OPT_OUTS)
def test_what_an_opt_out_is_said_to_shut_is_what_the_rule_refuses(scope, wrote, contact, connection, agent):
    talk = make_conversation(contact, connection, last_mo_at=NOON)
    if scope:
        consent.opt_out(contact=contact, source="person", words="STOP", now=NOON + 2 * MINUTE, **scope)
    if wrote:
        make_mo(connection=connection, contact=contact, channel="sms", timeline_at=NOON + wrote)
    shut = inbox.opt_outs([talk])[talk.pk].since
    assert set(shut.values()) <= {NOON + 2 * MINUTE}
    for channel in ("whatsapp", "sms"):
        expected = pytest.raises(ReplyRefused, match="opted out") if channel in shut else nullcontext()
        with expected:
            inbox.reply(conversation=talk, user=agent, text="Yes", now=NOON + HOUR, channel=channel)


def test_what_was_written_to_another_connection_opens_nothing_here(contact, connection):
    here, there = (make_conversation(contact, one) for one in (connection, make_connection()))
    consent.opt_out(contact=contact, source="person", words="STOP", now=NOON)
    make_mo(connection=there.connection, contact=contact, timeline_at=NOON + MINUTE)
    found = inbox.opt_outs([here, there])
    assert (found[here.pk].of_all, found[there.pk].since) == (True, {})


def test_an_opt_out_says_whether_start_would_lift_it(contact, connection, agent):
    talk = make_conversation(contact, connection)
    consent.opt_out(contact=contact, source="person", words="STOP", now=NOON)
    assert inbox.opt_outs([talk])[talk.pk].lifted_by_start
    consent.opt_out(contact=contact, source="staff", words="called", now=NOON, channel="sms", actor=agent)
    assert not inbox.opt_outs([talk])[talk.pk].lifted_by_start


def test_a_dead_number_is_said_and_not_tried(talk, agent, contact):
    consent.mark_bad(contact=contact, channel="whatsapp", notice_id=1, now=NOON)
    with pytest.raises(ReplyRefused) as refused:
        inbox.reply(conversation=talk, user=agent, text="Yes", now=NOON + HOUR)
    assert (refused.value.code, refused.value.choices) == (Reason.NUMBER_BAD, ["sms"])


def test_two_who_answer_at_once_are_told_of_each_other(talk, agent):
    version = talk.version
    inbox.reply(conversation=talk, user=agent, text="Yes", now=NOON + HOUR, expected_version=version)
    with pytest.raises(StaleConversation) as stale:
        inbox.reply(conversation=talk, user=agent, text="No", now=NOON + HOUR, expected_version=version)
    assert stale.value.detail == {"version": version + 1}
    assert inbox.reply(conversation=talk, user=agent, text="No", now=NOON + HOUR, expected_version=version + 1)


@pytest.mark.parametrize("text", ["", "  \n ", "\x00"])
def test_an_empty_reply_or_note_is_none(talk, agent, contact, text):
    with pytest.raises(Incomplete):
        inbox.reply(conversation=talk, user=agent, text=text, now=NOON)
    with pytest.raises(Incomplete):
        inbox.add_note(contact=contact, conversation=talk, user=agent, text=text, now=NOON)


def test_an_approved_template_leaves_outside_the_window(talk, agent):
    version = make_approved_version("Dear {{name}}, order {{order}} is ready.")
    fields = {"conversation": talk, "user": agent, "template_version": version, "now": NOON + 2 * DAY}
    message = inbox.reply_with_template(variables={"order": "7"}, **fields)
    assert (message.send_state, message.lane) == ("queued", "template")
    with pytest.raises(ReplyRefused) as refused:
        inbox.reply_with_template(variables={}, **fields)
    assert refused.value.code == "missing_variable:order"
    assert "order" in refused.value.words


def test_a_template_that_nobody_approved_does_not_leave(talk, agent):
    with pytest.raises(ReplyRefused) as refused:
        inbox.reply_with_template(
            conversation=talk, user=agent, template_version=make_version("Hi"), variables={}, now=NOON + HOUR
        )
    assert refused.value.code == Reason.TEMPLATE_NOT_APPROVED


@pytest.mark.parametrize(
    ("after", "is_open"), [(HOUR, True), (DAY - MINUTE, True), (DAY - timedelta(seconds=59), False)]
)
def test_the_window_is_shown_as_the_rule_sees_it(talk, after, is_open):
    window = inbox.window_of(talk, NOON + after)
    assert (window.open, window.ends_at, window.last_mo_at) == (is_open, NOON + DAY, NOON)
    assert "Tue 3 Mar 20:00" in window.words


def test_without_an_mo_there_is_no_window_and_sms_needs_none(connection, contact):
    assert not inbox.window_of(make_conversation(contact, connection), NOON).open
    assert inbox.window_of(make_conversation(contact, connection, channel="sms"), NOON).open


def test_the_timeline_mixes_channels_and_events_in_order_and_is_paged_without_loss(talk, agent, contact, connection):
    for number in range(12):
        at = NOON + HOUR + number // 3 * MINUTE  # some at the same instant
        make_mo(connection=connection, contact=contact, body=f"mo {number}", timeline_at=at, channel="sms")
        inbox.add_note(contact=contact, conversation=talk, user=agent, text=f"note {number}", now=at)
    make_mt(connection=connection, contact=contact, send_state="planned", body="not yet", lane="")
    whole = inbox.timeline(contact, limit=100)
    assert len(whole) == 25
    assert [entry.at for entry in whole] == sorted(entry.at for entry in whole)
    pages, cursor = [], None
    while page := inbox.timeline(contact, before=cursor, limit=4):
        pages = page + pages
        cursor = page[0].cursor
    assert [entry.key for entry in pages] == [entry.key for entry in whole]


def test_the_timeline_shows_what_left_and_else_what_would_leave(contact, connection):
    sent = make_mt(connection=connection, contact=contact, body="{{name}} later", timeline_at=NOON)
    make_request([sent], ref="78-1", text="Aisyah then")
    make_mt(connection=connection, contact=contact, body="Hello {{name}}", timeline_at=NOON + MINUTE)
    make_mt(connection=connection, contact=contact, body="Hello {{nobody}}", timeline_at=NOON + 2 * MINUTE)
    texts = [entry.text for entry in inbox.timeline(contact)]
    assert texts == ["Aisyah then", "Hello Aisyah", "Hello {{nobody}}"]


@pytest.mark.parametrize("cursor", ["", "x", "1_2", "2026-03-02_1_x", "🙈_1_2"])
def test_a_cursor_that_is_none_starts_at_the_newest(talk, contact, cursor):
    assert [entry.text for entry in inbox.timeline(contact, before=cursor)] == ["Is it ready?"]


def test_a_timeline_costs_the_same_however_long_it_is(talk, contact, connection, agent, django_assert_max_num_queries):
    for number in range(30):
        make_mt(
            connection=connection, contact=contact, timeline_at=NOON, author=agent, send_state="accepted", lane="sms"
        )
        make_request([make_mt(connection=connection, contact=contact)], ref=f"78-{number}")
    with django_assert_max_num_queries(6):
        inbox.timeline(contact, limit=61)


def test_the_steps_of_a_message_tell_its_story(contact, connection, agent):
    message = make_mt(
        connection=connection, contact=contact, planned_lane="session", planned_reason="window_open", timeline_at=NOON
    )
    request = make_request([message], ref="78-1.2", answered_at=NOON + MINUTE, started_at=NOON, code="200")
    for number, (status, code, state) in enumerate(
        [("SENT", "20", "applied"), ("UNDELIVERED", "554", "applied"), ("SENT", "20", "history")]
    ):
        DeliveryNotice.objects.create(
            raw=make_raw(connection, "dn"),
            connection=connection,
            received_at=NOON + (2 + number) * MINUTE,
            status=status,
            error_code=code,
            msgid="78-1.2",
            state=state,
            recipient=request.recipients.get(),
        )
    Message.objects.update(created_at=NOON - MINUTE)
    message.refresh_from_db()
    told = inbox.steps(message)
    assert [step.kind for step in told] == ["planned", "request", "answer", "dn", "dn", "dn"]
    assert [step.text for step in told] == [
        "Planned as free text. They wrote to us within 24 hours, so free text may go.",
        "Handed to the provider as free text.",
        "Accepted by the provider, reference 78-1.2.",
        "The provider reports: Sent to the network (20). Handed on to the carrier.",
        "The provider reports: Not delivered (554). This is not a valid number.",
        "The provider reports: Sent to the network (20). Handed on to the carrier. It changes nothing.",
    ]


@pytest.mark.parametrize(
    ("people", "said"), [(2, "in one request with 1 other person."), (4, "in one request with 3 other people.")]
)
def test_the_steps_say_who_went_with_it(people, said, connection):
    messages = [make_mt(connection=connection, contact=make_contact()) for _ in range(people)]
    make_request(messages, started_at=NOON)
    assert f"Handed to the provider as free text, {said}" in [step.text for step in inbox.steps(messages[0])]


def test_the_steps_of_an_unknown_name_the_person_who_judged_it(contact, connection, agent):
    message = make_mt(connection=connection, contact=contact)
    make_request([message], outcome=Outcome.UNKNOWN, answered_at=NOON, error="ReadTimeout", started_at=NOON)
    sending.treat_as_sent(message=message, user=agent, now=NOON + HOUR)
    message.refresh_from_db()
    texts = [step.text for step in inbox.steps(message)]
    assert any("ReadTimeout" in text for text in texts)
    assert any(text == "agent decided that it was sent." for text in texts)


@pytest.mark.parametrize(
    ("fields", "last"),
    [
        (
            {"send_state": "skipped", "reason": "missing_variable:ward"},
            "Not sent. The text needs “ward”, which is empty for this person.",
        ),
        ({"send_state": "held", "held_for": "quiet_hours"}, "Held back until the quiet hours end."),
        ({"send_state": "held", "held_for": "until_reply"}, "Held back until they write to us."),
        ({"send_state": "expired"}, "Too late to be sent."),
        ({"send_state": "cancelled"}, "Cancelled."),
        ({"send_state": "stuck"}, "Broke the worker that took it, three times. A person must look."),
    ],
)
def test_the_steps_of_what_never_left_end_with_the_cause_in_words(contact, connection, fields, last):
    message = make_mt(
        connection=connection, contact=contact, planned_lane="skipped", planned_reason="opted_out", **fields
    )
    assert [step.text for step in inbox.steps(message)] == [
        "Planned not to be sent. They are opted out of every way in which this could go.",
        last,
    ]


@pytest.mark.parametrize(
    ("judge", "words"),
    [
        (sending.treat_as_not_sent, ["agent decided that it never arrived.", "Cancelled."]),
        (sending.keep_waiting, ["agent looked, and left it open."]),
        (sending.send_again, ["agent sent it again, knowing that they may get it twice."]),
    ],
)
def test_what_was_decided_about_an_unknown_comes_after_what_happened_to_it(contact, connection, agent, judge, words):
    message = make_mt(connection=connection, contact=contact, timeline_at=NOON)
    make_request([message], answered_at=NOON, error="no answer within 40 s", started_at=NOON)
    Message.objects.update(created_at=NOON)
    judge(message=message, user=agent, now=NOON + HOUR)
    told = [step.text for step in inbox.steps(Message.objects.get())]
    assert told[-len(words) - 1 :] == ["The answer does not say whether it left: no answer within 40 s", *words]


@pytest.mark.parametrize("state", [state.value for state in SendState])
def test_every_state_has_its_steps(contact, connection, state):
    fields = {"send_state": state, "reason": "opted_out", "held_for": "quiet_hours" if state == "held" else ""}
    assert inbox.steps(make_mt(connection=connection, contact=contact, **fields))


def test_an_mo_came_in(talk):
    assert [step.kind for step in inbox.steps(Message.objects.mos().get())] == ["received"]


def test_the_inbox_is_paged_by_the_last_message(connection, agent):
    for number in range(7):
        make_conversation(make_contact(), connection, last_message_at=NOON + number // 2 * MINUTE)
    seen, cursor = [], None
    while True:
        page = inbox.conversations(user=agent, before=cursor, limit=2)
        seen += [row.conversation for row in page.rows]
        if not (cursor := page.next):
            break
    assert seen == list(Conversation.objects.order_by("-last_message_at", "-pk"))


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("newest", ["answered", "sms", "waits", "closing", "never", "closed"]),
        ("time_left", ["closing", "waits", "answered"]),
        ("waiting", ["closed", "closing", "waits", "sms"]),
        ("nonsense", ["answered", "sms", "waits", "closing", "never", "closed"]),
    ],
)
def test_the_inbox_is_sorted_as_asked_for_page_by_page(sort, names, connection, agent):
    now = datetime.now(UTC)

    def talk(name: str, last: timedelta, **fields: Any) -> None:
        fields = {"last_mo_at": now - last, "unread": 1} | fields
        make_conversation(make_contact(name=name), connection, last_message_at=now - last, **fields)

    talk("closed", 30 * HOUR)
    talk("never", 24 * HOUR, last_mo_at=None, unread=0)
    talk("closing", 23 * HOUR)
    talk("waits", 2 * HOUR)
    talk("sms", HOUR, channel="sms", last_mo_at=None)  # an SMS opens no window
    talk("answered", MINUTE, unread=0)
    seen, cursor = [], None
    for _page in names:
        page = inbox.conversations(user=agent, sort=sort, before=cursor, limit=1)
        seen += [row.conversation.contact.name for row in page.rows]
        cursor = page.next
    assert (seen, cursor) == (names, None)


def test_a_row_shows_the_last_thing_that_was_said(talk, agent, contact, connection):
    make_mt(connection=connection, contact=contact, body="Hello {{name}}", timeline_at=NOON + HOUR)
    make_mt(connection=connection, contact=contact, body="By SMS", channel="sms", lane="sms", timeline_at=NOON + DAY)
    (row,) = inbox.conversations(user=agent).rows
    assert (row.text, row.window_ends_at) == ("Hello Aisyah", NOON + DAY)


def test_a_campaigns_message_is_not_the_last_thing_that_was_said(talk, agent, contact, connection):
    """It moves no conversation to the top, so it does not stand there with a time of its own."""
    campaign = make_running_campaign(connection, [contact])
    campaign.messages.update(channel="whatsapp", send_state="queued", timeline_at=NOON + HOUR)
    make_mt(connection=connection, contact=contact, test_of=campaign, body="", timeline_at=NOON + HOUR)
    (row,) = inbox.conversations(user=agent).rows
    assert (row.text, row.last.timeline_at, row.conversation.last_message_at) == ("Is it ready?", NOON, NOON)


def test_people_are_found_by_name_or_number(talk, agent, connection):
    make_conversation(make_contact(name="Farid"), connection)
    assert [row.conversation for row in inbox.conversations(user=agent, search="aisy").rows] == [talk]
    assert [row.conversation for row in inbox.conversations(user=agent, search="3240066").rows] == [talk]


def test_each_saved_view_has_its_conversations(agent, connection):
    now = datetime.now(UTC)
    made = {
        "waiting": make_conversation(make_contact(), connection, last_mo_at=now - HOUR, unread=2, owner=make_user()),
        "closing": make_conversation(make_contact(), connection, last_mo_at=now - 23 * HOUR, unread=1),
        "mine": make_conversation(make_contact(), connection, owner=agent),
        "failed": make_conversation(make_contact(), connection, last_mo_at=now - HOUR),
        "asks_to_stop": make_conversation(make_contact(), connection, asks_to_stop=True),
    }
    make_mt(
        connection=connection,
        contact=made["failed"].contact,
        send_state="refused",
        author=agent,
        timeline_at=now,
    )

    def view(name: str) -> list[Conversation]:
        return [row.conversation for row in inbox.conversations(view=name, user=agent).rows]

    assert view("waiting") == [made["waiting"], made["closing"]]
    assert view("closing") == view("unassigned") == [made["closing"]]
    assert (view("mine"), view("failed")) == ([made["mine"]], [made["failed"]])
    assert view("asks_to_stop") == [made["asks_to_stop"]]
    assert len(view("all")) == len(view("no such view")) == 5
    assert inbox.view_counts(agent) == {
        "waiting": 2,
        "closing": 1,
        "mine": 1,
        "unassigned": 1,
        "failed": 1,
        "asks_to_stop": 1,
    }


def _talk_about_everything(connection, agent):
    """Five conversations: the last line is an MO, an MT that left, or an MT whose words are yet to be put together.

    Two of them opted out.
    """
    contacts = [make_contact() for _ in range(5)]
    campaign = make_running_campaign(connection, contacts[:1])
    for contact in contacts[:2]:
        make_mt(connection=connection, contact=contact)
        consent.opt_out(contact=contact, source="person", words="STOP", now=NOON)
    make_mt(connection=connection, contact=contacts[2], body="Hello {{name}}")
    make_mt(connection=connection, contact=contacts[3], template_version=campaign.template_version, body="")
    make_request([make_mt(connection=connection, contact=contacts[1])], ref="78-1")
    make_mo(connection=connection, contact=contacts[4])
    for contact in contacts:
        make_conversation(contact, connection, owner=agent)


def test_a_page_of_the_inbox_costs_the_same_however_long_it_is(connection, agent):
    def cost() -> tuple[int, int]:
        with CaptureQueriesContext(database) as queries:
            rows = inbox.conversations(user=agent, limit=50).rows
        assert all(row.text for row in rows)
        return len(rows), len(queries)

    _talk_about_everything(connection, agent)
    shown, few = cost()
    for _ in range(10):
        _talk_about_everything(connection, agent)
    assert (shown, cost()) == (5, (50, few))
    assert few <= 7


def test_what_follows_a_conversation_is_what_stood_behind_it_also_once_it_was_answered(connection, agent):
    for hours in (1, 2, 3):
        make_conversation(
            make_contact(name=f"P{hours}"), connection, last_message_at=datetime.now(UTC) - hours * HOUR, unread=1
        )
    first = inbox.conversations(user=agent, view="waiting").rows[0]
    inbox.nothing_to_answer(conversation=first.conversation, unread=1)
    second = inbox.following(first.cursor, user=agent, view="waiting")
    assert second
    third = inbox.following(second[1], user=agent, view="waiting")
    assert third
    assert (second[0].contact.name, third[0].contact.name) == ("P2", "P3")
    assert inbox.following(third[1], user=agent, view="waiting") is None
    assert inbox.following("nonsense", user=agent, view="waiting") is None


def test_nothing_to_answer_does_not_cover_what_came_meanwhile(talk):
    Conversation.objects.filter(pk=talk.pk).update(unread=2)
    with pytest.raises(inbox.StaleConversation):
        inbox.nothing_to_answer(conversation=talk, unread=1)
    talk.refresh_from_db()
    assert talk.unread == 2


def test_nothing_to_answer_and_assigning_are_noted(talk, agent):
    inbox.nothing_to_answer(conversation=talk, unread=1)
    for _ in range(2):
        inbox.assign(conversation=talk, owner=agent, user=agent, now=NOON)
    talk.refresh_from_db()
    assert (talk.unread, talk.owner, talk.version) == (0, agent, 0)
    assert ConversationEvent.objects.get().kind == ConversationEvent.Kind.ASSIGNED

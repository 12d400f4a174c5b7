from __future__ import annotations

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.db import connection as database
from django.test import Client

from contacts import consent
from contacts.models import Contact, Purpose, Suppression
from messaging import inbox
from messaging.clock import db_now
from messaging.ingest import digest_all, digest_connection
from messaging.models import Conversation, ConversationEvent, InboundRaw, Message
from messaging.receiving import drain_spool
from messaging.receiving.spool import spool
from messaging.statuses import SendState
from tests.contacts.racing import race
from tests.factories import (
    make_connection,
    make_contact,
    make_conversation,
    make_hook_token,
    make_mt,
    make_raw,
    new_msisdn,
)

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
Kind = ConversationEvent.Kind


def mo(connection, text="Hi", at=NOON, sender="60123240066", **fields) -> InboundRaw:
    """An MO that the door kept."""
    return make_raw(connection, "mo", urlencode({"from": sender, "text": text} | fields).encode(), received_at=at)


def digest(connection) -> None:
    digest_connection(connection.pk, kind="mo")


def conversation() -> Conversation:
    return Conversation.objects.get()


def test_an_mo_of_a_stranger_makes_a_person_a_conversation_and_a_window(connection):
    raw = mo(connection, "你好 😀", moid="7", to="60360000360")
    digest(connection)
    contact, message = Contact.objects.get(), Message.objects.get()
    assert (contact.msisdn, contact.name) == ("60123240066", "")
    assert (message.direction, message.send_state, message.body) == ("mo", "accepted", "你好 😀")
    assert (message.contact, message.provider_id, message.timeline_at, message.raw) == (contact, "7", NOON, raw)
    talk = conversation()
    assert (talk.last_mo_at, talk.last_message_at, talk.unread, talk.channel) == (NOON, NOON, 1, "whatsapp")
    assert not contact.consent_events.exists()


@pytest.mark.parametrize("sender", ["60123240066", "+60123240066", "whatsapp:+60123240066", "012-324 0066"])
def test_every_spelling_is_one_person(connection, sender):
    known = make_contact("60123240066")
    mo(connection, sender=sender)
    digest(connection)
    assert Message.objects.get().contact == known


def test_somebody_who_hides_their_number_is_known_by_their_user_id(connection):
    mo(connection, sender="MY.13491208655302741918")
    mo(connection, "again", sender="MY.13491208655302741918", at=NOON + timedelta(minutes=1))
    digest(connection)
    assert Contact.objects.get().wa_id == "MY.13491208655302741918"


def test_an_sms_opens_no_window_and_needs_a_number(connection):
    mo(connection, channel="sms")
    odd = mo(connection, channel="sms", sender="MAXIS")
    digest(connection)
    assert (conversation().channel, conversation().last_mo_at, conversation().unread) == ("sms", None, 1)
    odd.refresh_from_db()
    assert odd.problem == "its sender is no number"


@pytest.mark.parametrize(
    ("said", "wrote_at"),
    [
        ("2026-03-02T11:59:00Z", NOON - timedelta(minutes=1)),
        ("2026-03-02 19:59:00", NOON - timedelta(minutes=1)),  # the connection's zone
        (str(int(NOON.timestamp()) - 60), NOON - timedelta(minutes=1)),
        ("2026-03-02T13:00:00Z", NOON),
        ("nonsense", NOON),
        ("", NOON),
    ],
)
def test_the_window_opens_when_they_wrote_but_never_after_we_received_it(connection, said, wrote_at):
    mo(connection, time=said)
    digest(connection)
    assert conversation().last_mo_at == wrote_at


def test_a_late_or_unordered_mo_never_moves_the_window_back(connection):
    times = [0, 50, 20, 10, 40]
    for minute in times:
        wrote = NOON + timedelta(minutes=minute)
        mo(connection, f"no. {minute}", at=NOON + timedelta(hours=1, minutes=minute), time=wrote.isoformat())
        digest(connection)
    assert conversation().last_mo_at == NOON + timedelta(minutes=50)
    assert (conversation().unread, conversation().version) == (5, 5)


def test_copies_with_one_id_are_one_entry_and_move_nothing(connection):
    for second in (0, 2, 3600):
        mo(connection, moid="7", at=NOON + timedelta(seconds=second))
    digest(connection)
    assert Message.objects.count() == 1
    assert (conversation().unread, conversation().last_mo_at) == (1, NOON)
    assert InboundRaw.objects.exclude(problem="").count() == 2


def test_another_text_under_the_same_id_is_not_lost(connection):
    """Nobody says which id is an MO's own: it may be that of the MT it answers."""
    mo(connection, "yes", id="78-1.2")
    mo(connection, "no, sorry", id="78-1.2", at=NOON + timedelta(minutes=1))
    digest(connection)
    assert [message.body for message in Message.objects.order_by("pk")] == ["yes", "no, sorry"]


def test_without_an_id_the_same_words_within_4_seconds_are_flagged_and_counted_once(connection):
    for second in (0, 3, 6):
        mo(connection, at=NOON + timedelta(seconds=second))
    digest(connection)
    assert [message.repeated for message in Message.objects.order_by("pk")] == [False, True, True]
    assert (conversation().unread, conversation().last_mo_at) == (1, NOON)


def test_who_says_yes_twice_a_minute_apart_said_it_twice(connection):
    mo(connection, "yes")
    mo(connection, "yes", at=NOON + timedelta(minutes=1))
    mo(connection, "no", at=NOON + timedelta(minutes=1, seconds=1))
    digest(connection)
    assert not Message.objects.filter(repeated=True).exists()
    assert conversation().unread == 3


def test_an_mo_shows_that_its_channel_works(connection):
    contact = make_contact("60123240066")
    for channel in ("whatsapp", "sms"):
        consent.mark_bad(contact=contact, channel=channel, notice_id=None, now=NOON)
    mo(connection)
    digest(connection)
    contact.refresh_from_db()
    assert contact.whatsapp_bad_at is None
    assert contact.sms_bad_at is not None
    assert ConversationEvent.objects.get().kind == Kind.NUMBER_OK


@pytest.mark.parametrize("word", ["STOP", " stop! ", "Berhenti", "BATAL", "停止", "Opt-out"])
def test_stop_suppresses_everything_and_is_confirmed_once(connection, word):
    now = db_now()
    for second in (0, 10, 20):
        mo(connection, word, at=now - timedelta(seconds=30 - second))
    digest(connection)
    row = Suppression.objects.get()
    assert (row.channel, row.purpose, row.source) == ("all", "all", "person")
    assert row.since == now - timedelta(seconds=10)
    assert ConversationEvent.objects.filter(kind=Kind.OPTED_OUT).count() == 1
    confirmation = Message.objects.mts().get()
    assert (confirmation.purpose, confirmation.send_state) == (Purpose.OPT_OUT_CONFIRMATION, SendState.QUEUED)
    assert (confirmation.lane, confirmation.channel) == ("session", "whatsapp")
    assert "START" in confirmation.body
    assert "MULA" in confirmation.body


def test_a_stop_that_came_a_day_late_is_obeyed_but_not_confirmed(connection):
    mo(connection, "STOP", at=db_now() - timedelta(hours=30))
    digest(connection)
    assert Suppression.objects.exists()
    assert not Message.objects.mts().exists()


def test_a_stop_by_sms_is_obeyed_on_all_channels_without_an_answer(connection):
    mo(connection, "STOP", channel="sms", at=db_now())
    digest(connection)
    assert Suppression.objects.get().channel == "all"
    assert not Message.objects.mts().exists()


@pytest.mark.parametrize("channel", ["whatsapp", "sms"])
def test_a_stop_wants_no_answer_and_what_was_asked_before_goes_on_waiting(connection, channel):
    now = db_now()
    mo(connection, "STOP", channel=channel, at=now - timedelta(minutes=9))
    digest(connection)
    assert (conversation().unread, conversation().version) == (0, 1)
    mo(connection, "Is it ready?", channel=channel, at=now - timedelta(minutes=8))
    mo(connection, "STOP", channel=channel, at=now - timedelta(minutes=7))
    digest(connection)
    assert (conversation().unread, conversation().version) == (1, 3)
    mo(connection, "please stop sending me this", channel=channel, at=now - timedelta(minutes=6))
    mo(connection, "START", channel=channel, at=now - timedelta(minutes=5))
    digest(connection)
    assert conversation().unread == 3


@pytest.mark.parametrize(("word", "kind"), [("STOP", Kind.OPTED_OUT), ("START", Kind.OPTED_IN)])
def test_what_a_word_did_stands_below_it_in_the_timeline(connection, word, kind):
    consent.opt_out(contact=make_contact("60123240066"), source="person", words="STOP", now=NOON - timedelta(days=1))
    if word == "STOP":
        Suppression.objects.all().delete()
    mo(connection, word)
    digest(connection)
    assert [entry.kind for entry in inbox.timeline(Contact.objects.get())] == ["mo", kind]


def test_start_lifts_their_own_stop_alone(connection):
    now = db_now()
    mo(connection, "STOP", at=now - timedelta(minutes=3))
    mo(connection, "START", at=now - timedelta(minutes=2))
    digest(connection)
    assert not Suppression.objects.exists()
    assert [event.kind for event in ConversationEvent.objects.order_by("at")] == [Kind.OPTED_OUT, Kind.OPTED_IN]
    consent.opt_out(contact=Contact.objects.get(), source="staff", words="called us", now=now)
    mo(connection, "START", at=now)
    digest(connection)
    assert Suppression.objects.exists()


def test_words_that_may_mean_stop_ask_staff_until_they_say_it_plainly(connection):
    mo(connection, "please stop sending me this", at=NOON)
    digest(connection)
    assert conversation().asks_to_stop
    assert not Suppression.objects.exists()
    mo(connection, "STOP", at=NOON + timedelta(minutes=1))
    digest(connection)
    assert not conversation().asks_to_stop
    assert Suppression.objects.exists()


def test_texts_held_until_they_write_are_queued_by_their_mo(connection):
    contact = make_contact("60123240066")
    elsewhere = make_connection()
    held = {"send_state": "held", "held_for": "until_reply", "lane": "", "contact": contact}
    waiting, other = make_mt(connection=connection, **held), make_mt(connection=elsewhere, **held)
    mo(connection, channel="sms", at=db_now())
    digest(connection)
    waiting.refresh_from_db()
    assert waiting.send_state == SendState.HELD
    mo(connection, at=db_now())
    digest(connection)
    waiting.refresh_from_db()
    other.refresh_from_db()
    assert (waiting.send_state, other.send_state) == (SendState.QUEUED, SendState.HELD)


def test_what_is_no_mo_says_so_and_holds_up_nobody(connection):
    broken = make_raw(connection, "mo", b"\x00\xff{", received_at=NOON)
    mo(connection, at=NOON + timedelta(seconds=1))
    digest(connection)
    broken.refresh_from_db()
    assert broken.problem == "no incoming message in it"
    assert Message.objects.count() == 1


def test_an_mo_that_breaks_its_reader_is_left_behind(connection, monkeypatch):
    from messaging.ingest import mo as reading

    culprit = mo(connection, "poison")
    mo(connection, "fine", at=NOON + timedelta(seconds=1))
    heed = reading.heed_wish

    def fragile(message, conversation, *, now):
        if message.body == "poison":
            with database.cursor() as cursor:
                cursor.execute("SELECT 1 / 0")
        heed(message, conversation, now=now)

    monkeypatch.setattr(reading, "heed_wish", fragile)
    digest(connection)
    culprit.refresh_from_db()
    assert culprit.problem == "could not be read: DataError"
    assert Message.objects.get().body == "fine"


def test_mos_are_read_before_a_backlog_of_dns(connection):
    for number in range(3):
        make_raw(connection, "dn", b"status=SENT&msgid=%d" % number, received_at=NOON - timedelta(hours=1))
    mo(connection)
    digest_all()
    read = InboundRaw.objects.order_by("digested_at", "pk")
    assert read.first().kind == "mo"
    assert not InboundRaw.objects.filter(digested_at=None).exists()


@pytest.mark.django_db(transaction=True)
def test_twenty_mos_at_once_from_a_new_number_are_one_person_and_one_conversation(settings, tmp_path):
    """F44, through the door and with readers that race for them. What a busy database does not take is spooled."""
    settings.SPOOL_DIR = tmp_path / "spool"
    connection = make_connection()
    token, sender = make_hook_token(connection), new_msisdn()

    def write() -> int:
        status = Client().post(f"/hooks/{token}/mo", {"from": sender, "text": f"Hi {db_now()}"}).status_code
        digest_all(budget_s=5)
        return status

    assert race(write, workers=20) == [200] * 20
    spool.close()
    drain_spool()
    digest_all()
    assert Contact.objects.get().msisdn == sender
    assert (conversation().unread, conversation().version) == (20, 20)
    assert Message.objects.mos().count() == 20


@pytest.mark.django_db(transaction=True)
def test_an_existing_conversation_is_found_by_racing_readers_of_two_connections():
    contact = make_contact("60123240066")
    connections = [make_connection(), make_connection()]
    for connection in connections:
        make_conversation(contact, connection, last_mo_at=NOON - timedelta(days=3))
        for number in range(5):
            mo(connection, f"no. {number}", at=NOON + timedelta(minutes=number))
    race(lambda: digest_all(budget_s=5), workers=4)
    digest_all()
    assert [talk.unread for talk in Conversation.objects.all()] == [5, 5]
    assert {talk.last_mo_at for talk in Conversation.objects.all()} == {NOON + timedelta(minutes=4)}

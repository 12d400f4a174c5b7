"""One message on its own, as other systems send it."""

from datetime import UTC, datetime, timedelta

import pytest

from contacts import consent
from contacts.models import ConsentEvent, Contact
from messaging import singles
from messaging.models import Conversation, Message
from messaging.singles import MessageRefused
from messaging.statuses import Channel
from tests.contacts.racing import race
from tests.factories import make_approved_version, make_contact, make_conversation, make_version

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NUMBER = "60123240066"


@pytest.fixture
def talk(connection):
    """They wrote at noon."""
    contact = make_contact(NUMBER, name="Aisyah")
    return make_conversation(contact, connection, last_mo_at=NOON, unread=1)


def test_free_text_inside_the_window_goes_the_session_lane(talk, connection):
    sent = singles.submit(to=NUMBER, connection=connection, text="  Yes!\r\nCome. ", now=NOON + HOUR, reference="A-1")
    message = Message.objects.get(pk=sent.message.pk)
    assert (message.send_state, message.lane, message.reason) == ("queued", "session", "window_open")
    assert (message.contact, message.body, message.reference) == (talk.contact, "  Yes!\nCome.", "A-1")
    assert (message.planned_lane, message.parts, message.author) == ("session", 1, None)
    assert message.facts["window_ends_at"] == (NOON + 24 * HOUR).isoformat()


def test_what_a_system_writes_is_part_of_the_conversation_but_answers_nobody(talk, connection):
    singles.submit(to=NUMBER, connection=connection, text="Yes", now=NOON + HOUR)
    talk.refresh_from_db()
    assert (talk.last_message_at, talk.version, talk.unread, talk.owner) == (NOON + HOUR, 1, 1, None)


@pytest.mark.django_db
def test_a_new_number_becomes_a_person_with_a_conversation(connection):
    version = make_approved_version("Dear {{name}}")
    sent = singles.submit(
        to=NUMBER, connection=connection, template_version=version, variables={"name": "Mei"}, now=NOON
    )
    assert (sent.verdict.lane, sent.message.contact.msisdn) == ("template", NUMBER)
    assert Conversation.objects.get().contact.msisdn == NUMBER


@pytest.mark.django_db
def test_sms_needs_no_window(connection):
    sent = singles.submit(to=NUMBER, connection=connection, channel=Channel.SMS, text="x" * 160, now=NOON)
    assert (sent.message.lane, sent.message.channel, sent.message.parts) == ("sms", "sms", 2)


@pytest.mark.django_db
def test_what_the_rule_refuses_leaves_no_trace(connection):
    with pytest.raises(MessageRefused) as refused:
        singles.submit(to=NUMBER, connection=connection, text="Hi", now=NOON)
    assert refused.value.code == "window_closed"
    assert refused.value.detail["lane"] == "skipped"
    assert not Contact.objects.exists()


def test_an_opt_out_stops_it_even_inside_the_window(talk, connection):
    consent.opt_out(contact=talk.contact, source=ConsentEvent.Source.PERSON, words="STOP", now=NOON)
    with pytest.raises(MessageRefused, match="opted out of every way"):
        singles.submit(to=NUMBER, connection=connection, text="Hi", now=NOON + HOUR, window_waived=True)


@pytest.mark.django_db
def test_a_waived_window_lets_free_text_pass_and_says_so(connection):
    sent = singles.submit(to=NUMBER, connection=connection, text="Hi", now=NOON, window_waived=True)
    assert (sent.message.lane, sent.message.reason) == ("session", "window_waived")


@pytest.mark.django_db
def test_a_dry_run_says_what_would_happen_and_leaves_no_trace(connection):
    version = make_version("Dear {{name}}")  # in review
    sent = singles.submit(to=NUMBER, connection=connection, template_version=version, now=NOON, dry_run=True)
    assert (sent.message.send_state, sent.verdict.reason) == ("skipped", "template_not_approved")
    assert not Contact.objects.exists()
    assert not Message.objects.exists()
    assert not Conversation.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_many_at_once_to_a_new_number_make_one_person(connection):
    race(lambda: singles.submit(to=NUMBER, connection=connection, channel=Channel.SMS, text="Hi", now=NOON), 8)
    assert (Contact.objects.count(), Conversation.objects.count(), Message.objects.count()) == (1, 1, 8)

"""“Why did Aminah not get this?”: the first sentence names the cause, the second says what to do."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from messaging import inbox, sending
from messaging.models import Campaign, Connection, DeliveryNotice, Message, Outcome
from messaging.policy import Reason
from messaging.reasons import CHANGES, NEXT_STEPS, reason_next
from messaging.statuses import SendState
from tests.factories import (
    make_contact,
    make_mo,
    make_mt,
    make_raw,
    make_request,
    make_running_campaign,
    make_user,
)

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 22, 4, tzinfo=UTC)  # Sunday noon in Kuala Lumpur
LATER = NOON + timedelta(hours=10)


@pytest.fixture
def mt(connection):
    contact = make_contact(name="Aminah")
    return lambda **fields: make_mt(
        connection=connection, contact=contact, **{"timeline_at": NOON, "due_at": NOON} | fields
    )


def told(message: Message) -> tuple[str, str]:
    found = inbox.why(message, NOON)
    assert found is not None
    return found.cause, found.next_step


@pytest.mark.parametrize(
    ("fields", "cause", "next_step"),
    [
        (
            {"send_state": "accepted", "delivery_state": "delivered", "final_at": LATER},
            "It was delivered on Sun 22 Nov 22:00.",
            "Nothing to do.",
        ),
        (
            {"send_state": "accepted", "delivery_state": "undelivered", "error_code": "505"},
            "It was not delivered: The network does not know this number.",
            "Check the number with the person before sending to it again.",
        ),
        (
            {"send_state": "accepted", "delivery_state": "undelivered", "error_code": ""},
            "It was not delivered, and the provider does not say why.",
            "Send it again if it still matters; if it happens to many people, ask the provider.",
        ),
        (
            {"send_state": "accepted", "delivery_state": "sent"},
            "The provider handed it to the network; their phone has not confirmed it yet.",
            "Nothing to do: the final word is still to come.",
        ),
        (
            {"send_state": "accepted"},
            "The provider took it and has not yet said whether it was delivered.",
            "Nothing to do: the delivery notification is still to come.",
        ),
        (
            {"send_state": "refused", "error_code": "406"},
            "The provider refused it: The provider does not know this text as an approved template.",
            "Compare the template with the one approved at the provider, letter by letter.",
        ),
        (
            {"send_state": "skipped", "reason": "opted_out"},
            "It was not sent: They are opted out of every way in which this could go.",
            "Do not write to them until they write to us or agree to it again.",
        ),
        (
            {"send_state": "skipped", "reason": "missing_variable:ward"},
            "It was not sent: The text needs “ward”, which is empty for this person.",
            "Fill it in on their page, then send it again.",
        ),
        (
            {"send_state": "held", "held_for": "quiet_hours", "held_until": LATER},
            "Held back until the quiet hours end on Sun 22 Nov 22:00.",
            "Nothing to do: it leaves by itself.",
        ),
        (
            {"send_state": "held", "held_for": "until_reply"},
            "Held back until they write to us.",
            "It leaves by itself when they write. To reach them before, send an approved template.",
        ),
        (
            {"send_state": "expired", "not_after": LATER},
            "It could not leave before Sun 22 Nov 22:00, the latest time set for it.",
            "Send it again with a later time, if it still matters.",
        ),
        (
            {"send_state": "stuck"},
            "It broke the worker that took it, three times, and was set aside.",
            "Have the cause found, then decide about it under “Unknowns”: try it again alone, or give it up.",
        ),
        (
            {"send_state": "planned", "planned_lane": "template", "planned_reason": "template_approved"},
            "Its campaign has not started yet.",
            "Look at the campaign: it says what it waits for.",
        ),
        (
            {"send_state": "planned", "planned_lane": "skipped", "planned_reason": "missing_variable:ward"},
            "They will be skipped: The text needs “ward”, which is empty for this person.",
            "They get it if it is filled in on their page before the campaign starts.",
        ),
        ({"send_state": "cancelled"}, "It was cancelled before it left.", "Write a new message, if it still matters."),
        ({"due_at": LATER}, "It is to leave on Sun 22 Nov 22:00.", "Nothing to do: it leaves by itself."),
        (
            {"due_at": LATER, "tries": 2},
            "The provider could not be reached. It is tried again on Sun 22 Nov 22:00.",
            "Nothing to do: it leaves by itself.",
        ),
        ({}, "It waits for its turn.", "Nothing to do: it leaves by itself."),
    ],
)
def test_each_outcome_names_its_cause_and_the_next_step(mt, fields, cause, next_step):
    assert told(mt(**fields)) == (cause, next_step)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"error": "no answer within 40 s"}, "no answer within 40 s."),
        ({}, "no answer came in time."),
        (
            {"code": "500", "error": "code 500 without a ref"},
            "The provider failed while it handled the request: the message may or may not have left.",
        ),
        (
            {"code": "200", "error": "code 200 without a ref"},
            "The provider took the request and gave it no reference.",
        ),
    ],
)
def test_an_unknown_says_what_came_instead_of_an_answer(mt, answer, said):
    message = mt()
    make_request([message], **answer)
    assert told(message) == (
        f"Nobody knows whether it left: {said}",
        "Wait for a delivery notification, or decide about it under “Unknowns”.",
    )


def test_who_decided_is_named_and_a_later_notification_contradicts_them(mt, connection):
    message, user = mt(), make_user("aisyah")
    request = make_request([message])
    message = sending.treat_as_not_sent(message=message, user=user, now=NOON)
    assert told(message)[0] == "aisyah decided that it never arrived."
    DeliveryNotice.objects.create(
        raw=make_raw(connection, "dn"),
        connection=connection,
        received_at=LATER,
        status="DELIVERED",
        msgid="1-0",
        state="history",
        recipient=request.recipients.get(),
    )
    assert told(message) == (
        "aisyah decided that it never arrived, but a later delivery notification says that it left.",
        "Read the notification below before writing again: they may have it.",
    )


def test_what_a_person_counts_as_sent_is_not_the_providers_word(mt):
    message = mt()
    make_request([message])
    message = sending.treat_as_sent(message=message, user=make_user("aisyah"), now=NOON)
    assert told(message)[0] == "aisyah decided that it counts as sent; nothing proves it yet."


def test_a_stuck_message_that_was_given_up_says_by_whom(mt):
    message = sending.give_up_stuck(message=mt(send_state="stuck"), user=make_user("aisyah"), now=NOON)
    assert told(message)[0] == "It broke its worker three times, and aisyah gave it up."


def test_what_waits_for_its_campaign_or_its_connection_says_so(connection):
    campaign = make_running_campaign(connection, [make_contact()])
    campaign.messages.update(send_state="queued")
    Campaign.objects.update(state="paused")
    assert told(Message.objects.get()) == (
        "It waits, because its campaign is paused.",
        "Resume the campaign; it then leaves by itself.",
    )
    Connection.objects.update(state="no_credit", name="Klang")
    cause = "It waits, because the connection Klang does not send (Stopped: no credit)."
    assert told(Message.objects.get())[0] == cause


def test_a_message_of_a_cancelled_campaign_names_the_campaign(connection):
    campaign = make_running_campaign(connection, [make_contact()])
    Campaign.objects.update(state="cancelled")
    campaign.messages.update(send_state="cancelled")
    assert told(Message.objects.get())[0] == "Its campaign was cancelled before it left."


@pytest.mark.parametrize("state", [state.value for state in SendState])
def test_every_state_has_a_cause_and_a_next_step(mt, state):
    fields = {"send_state": state, "reason": "opted_out", "held_for": "quiet_hours" if state == "held" else ""}
    assert all(told(mt(**fields)))


def test_a_refusal_without_a_code_that_we_know_shows_what_was_said(mt):
    message = mt()
    make_request([message], outcome=Outcome.REFUSED, desc="Blocked by somebody")
    assert told(message)[0] == "The provider refused it: Blocked by somebody"


def test_an_mo_needs_no_reason(connection):
    assert inbox.why(make_mo(connection=connection, contact=make_contact()), NOON) is None


def test_every_reason_that_stops_a_message_has_a_next_step():
    sends = {Reason.WINDOW_OPEN, Reason.WINDOW_WAIVED, Reason.TEMPLATE_APPROVED, Reason.SMS_TEXT}
    assert set(NEXT_STEPS) == set(Reason) - sends
    assert set(CHANGES) == set(NEXT_STEPS) - {Reason.QUIET_HOURS, Reason.UNTIL_REPLY}, "nobody is skipped for these"
    assert reason_next("missing_variable:ward") == reason_next("missing_variable") != ""
    assert reason_next("solar_flare") == reason_next("") == ""

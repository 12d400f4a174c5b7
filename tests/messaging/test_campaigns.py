"""A campaign's life, its refusals in words, and what happens when several people act at once."""

from __future__ import annotations

import threading
from datetime import time, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connections

from contacts import consent
from messaging import campaigns, holds, reports
from messaging.campaigns import starting
from messaging.clock import db_now
from messaging.errors import Incomplete, Refused, Stale, WrongState
from messaging.models import AuditEvent, Campaign, Message
from tests.factories import (
    make_approved_campaign,
    make_approved_version,
    make_connection,
    make_contact,
    make_conversation,
    make_draft,
    make_list,
    make_running_campaign,
    make_user,
)

pytestmark = pytest.mark.django_db


def launch(campaign: Campaign) -> Campaign:
    return campaigns.launch_campaign(campaign=campaign, user=make_user(), now=db_now())


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"session_text": "", "template_version": None}, "at least one way of sending"),
        ({"session_text": "Hi {{ Name }}"}, "{{ Name }}"),
        ({"session_text": "", "until_reply": True}, "free text"),
        ({"sms_text": "a\u202eb"}, "SMS text"),
    ],
)
def test_a_draft_with_a_problem_is_not_submitted_and_says_why(fields, words):
    campaign = make_draft(make_connection(), [make_list([make_contact()])], **fields)
    with pytest.raises(Incomplete) as refusal:
        campaigns.submit_campaign(campaign=campaign, user=make_user(), now=db_now())
    assert words in str(refusal.value.words)
    assert Campaign.objects.get(pk=campaign.pk).state == "draft"


def test_a_campaign_without_people_is_not_submitted():
    campaign = make_draft(make_connection(), [])
    with pytest.raises(Incomplete, match="list of people"):
        campaigns.submit_campaign(campaign=campaign, user=make_user(), now=db_now())


def test_a_retired_template_is_not_submitted():
    version = make_approved_version()
    version.template.retired_at = db_now()
    version.template.save()
    campaign = make_draft(make_connection(), [make_list([make_contact()])], template_version=version)
    with pytest.raises(Incomplete, match="template is not approved"):
        campaigns.submit_campaign(campaign=campaign, user=make_user(), now=db_now())


@pytest.mark.parametrize("zone", ["Asia/Kuala_Lumpur_", "", "../etc/localtime", "Asia"])
def test_a_zone_that_does_not_exist_is_named_before_anyone_is_asked_to_approve(zone):
    campaign = make_draft(make_connection(), [make_list([make_contact()])], time_zone=zone)
    with pytest.raises(Incomplete, match="no time zone"):
        campaigns.submit_campaign(campaign=campaign, user=make_user(), now=db_now())


def test_a_test_leaves_only_with_texts_that_a_second_person_approved():
    connection, author, guest = make_connection(), make_user(), make_contact(name="Guest")
    draft = make_draft(connection, [make_list([make_contact(name="A")])], user=author, sms_text="Nobody approved this")
    test = {"contact": guest, "user": author}
    with pytest.raises(WrongState, match="approve"):
        campaigns.send_test(campaign=draft, now=db_now(), **test)
    campaigns.submit_campaign(campaign=draft, user=author, now=db_now())
    with pytest.raises(WrongState, match="approve"):
        campaigns.send_test(campaign=draft, now=db_now(), **test)
    assert not Message.objects.filter(contact=guest).exists()
    approved = make_approved_campaign(connection, [make_contact(name="B")])
    message = campaigns.send_test(campaign=approved, now=db_now(), **test)
    assert (message.send_state, message.campaign, message.test_of) == ("queued", None, approved)


def test_a_test_can_carry_the_values_of_somebody_in_the_campaign_and_nothing_else_of_them():
    version = make_approved_version("Dear {{name}}, {{clinic}} at {{hour}}")
    siti = make_contact(name="Siti", fields={"clinic": "Klang", "hour": "nine", "illness": "secret"})
    campaign = make_approved_campaign(make_connection(), [siti], template_version=version)
    test = {"campaign": campaign, "user": make_user(), "now": db_now()}
    message = campaigns.send_test(contact=make_contact(name="Guest"), values_of=siti, **test)
    assert message.variables == {"name": "Siti", "clinic": "Klang", "hour": "nine"}


def test_a_test_is_refused_at_once_when_the_rule_would_stop_it():
    version = make_approved_version("Dear {{name}}, {{clinic}}")
    guest, nameless = make_contact(name="Guest", fields={"clinic": "Klang"}), make_contact(name="")
    campaign = make_approved_campaign(make_connection(), [nameless], template_version=version, session_text="")
    test = {"campaign": campaign, "user": make_user(), "now": db_now()}
    with pytest.raises(campaigns.UnsendableTest) as refused:
        campaigns.send_test(contact=guest, values_of=nameless, **test)
    assert refused.value.detail["reason"] == "missing_variable:name"
    consent.opt_out(contact=guest, source="person", words="STOP", now=db_now())
    with pytest.raises(campaigns.UnsendableTest) as refused:
        campaigns.send_test(contact=guest, **test)
    assert refused.value.detail["reason"] == "opted_out"
    assert not Message.objects.filter(test_of=campaign).exists()


def test_rows_of_cancelled_campaigns_are_cancelled_chunk_by_chunk_and_no_others(monkeypatch):
    monkeypatch.setattr("messaging.planning.rows.CHUNK", 2)
    gone, stays = (
        make_running_campaign(make_connection(), [make_contact(name=f"P{n}") for n in range(5)]) for _ in "ab"
    )
    accepted = gone.messages.first()
    Message.objects.filter(pk=accepted.pk).update(send_state="accepted", lane="template")
    campaigns.cancel_campaign(campaign=gone, user=make_user(), now=db_now())
    assert campaigns.cancel_rows(db_now()) == 4
    assert campaigns.cancel_rows(db_now()) == 0
    assert (reports.sums(gone).cancelled, reports.sums(gone).submitted) == (4, 1)
    assert reports.sums(stays).to_send == 5


def test_the_history_of_a_draft_tells_what_differs_and_nothing_of_a_save_without_a_difference():
    draft, user = make_draft(make_connection(), [make_list([make_contact()])]), make_user()
    lists = [row.contact_list for row in draft.audience.all()]

    def save(**fields):
        before = AuditEvent.objects.count()
        campaigns.edit_campaign(campaign=draft, user=user, version=draft.version, now=db_now(), **fields)
        draft.refresh_from_db()
        told = AuditEvent.objects.order_by("pk")[before:]
        return [event.detail["fields"] for event in told]

    same = {"name": draft.name, "session_text": draft.session_text, "include": lists, "exclude": []}
    assert save(**same) == []
    assert save(**same | {"name": "Renamed", "exclude": [make_list([])]}) == [["exclude", "name"]]
    assert save(include=[]) == [["include"]]


def test_of_two_editors_the_second_is_told():
    campaign = make_draft(make_connection(), [])
    first, second = make_user(), make_user()
    campaigns.edit_campaign(campaign=campaign, user=first, version=1, now=db_now(), session_text="Mine")
    with pytest.raises(Stale):
        campaigns.edit_campaign(campaign=campaign, user=second, version=1, now=db_now(), session_text="Theirs")
    campaign.refresh_from_db()
    assert campaign.session_text == "Mine"
    assert first.pk in campaign.editor_ids
    assert second.pk not in campaign.editor_ids


def test_texts_are_stored_in_their_one_form():
    campaign = make_draft(make_connection(), [], session_text="Line one \r\nline two\r\n\r\n")
    assert campaign.session_text == "Line one\nline two"


def test_start_decides_everyone_again():
    connection = make_connection()
    stays, wrote = make_contact(name="Aminah"), make_contact(name="Bala")
    campaign = make_approved_campaign(connection, [stays, wrote, make_contact(name="")], template_version=None)
    assert set(Message.objects.values_list("planned_lane", flat=True)) == {"skipped"}
    make_conversation(wrote, connection, last_mo_at=db_now())
    launch(campaign)
    assert campaigns.start_due(db_now()) == 3
    rows = {row.contact_id: (row.send_state, row.reason) for row in Message.objects.all()}
    assert rows[wrote.pk] == ("queued", "")
    assert rows[stays.pk] == ("skipped", "window_closed")
    campaign.refresh_from_db()
    assert campaign.state == "running"
    sums = reports.sums(campaign)
    assert (sums.to_send, sums.skipped, sums.audience) == (1, 2, 3)


def test_only_what_left_or_was_held_back_otherwise_than_planned_is_a_difference():
    connection = make_connection()
    contacts = [make_contact(name=f"P{n}") for n in range(6)]
    campaign = make_running_campaign(connection, contacts)
    assert not reports.tally(campaign).changed, "who waits in the queue is no difference"
    for contact, became in zip(
        contacts,
        (
            {"send_state": "accepted", "lane": "template"},
            {"send_state": "accepted", "lane": "session"},
            {"send_state": "skipped", "lane": "skipped", "reason": "opted_out"},
            {"send_state": "held", "held_for": "quiet_hours"},
            {"send_state": "queued", "lane": "held"},
            {"send_state": "cancelled"},
        ),
        strict=True,
    ):
        Message.objects.filter(contact=contact).update(**became)
    assert reports.tally(campaign).changed == {
        ("template", "held"): 1,
        ("template", "session"): 1,
        ("template", "skipped"): 1,
    }


def test_a_start_is_resumed_where_a_crash_left_it(monkeypatch):
    monkeypatch.setattr("messaging.planning.rows.CHUNK", 4)
    campaign = launch(make_approved_campaign(make_connection(), [make_contact(name=f"P{n}") for n in range(10)]))
    assert starting._start_chunk(campaigns.lock(campaign), db_now()) == 4
    assert Message.objects.filter(send_state="queued").count() == 4
    assert campaigns.start_due(db_now()) == 6
    assert Message.objects.filter(send_state="queued").count() == 10


def test_quiet_hours_at_the_start_hold_and_the_clock_wakes():
    now = db_now().astimezone(ZoneInfo("UTC")).replace(hour=22, minute=30)
    campaign = make_approved_campaign(
        make_connection(), [make_contact(name="A")], quiet_from=time(22), quiet_to=time(7), time_zone="UTC"
    )
    launch(campaign)
    campaigns.start_due(now)
    message = Message.objects.get()
    assert (message.send_state, message.held_for) == ("held", "quiet_hours")
    assert message.held_until == (now + timedelta(days=1)).replace(hour=7, minute=0, second=0, microsecond=0)
    assert holds.wake(now) == 0
    assert holds.wake(message.held_until) == 1
    message.refresh_from_db()
    assert message.send_state == "queued"


def test_a_scheduled_campaign_starts_at_its_time_and_not_before():
    later = db_now() + timedelta(hours=1)
    campaign = launch(make_approved_campaign(make_connection(), [make_contact(name="A")], send_at=later))
    assert campaign.state == "scheduled"
    assert campaigns.start_due(later - timedelta(seconds=1)) == 0
    assert campaigns.start_due(later) == 1


def test_a_campaign_whose_people_are_all_skipped_finishes_by_itself():
    campaign = make_running_campaign(make_connection(), [make_contact(name="")])
    assert campaigns.finish_done(db_now()) == 1
    campaign.refresh_from_db()
    assert campaign.state == "finished"
    with pytest.raises(WrongState):
        campaigns.cancel_campaign(campaign=campaign, user=make_user(), now=db_now())


def test_every_act_is_written_down_with_its_actor():
    campaign = make_running_campaign(make_connection(), [make_contact(name="A")])
    acts = list(
        AuditEvent.objects.filter(subject_type="campaign", subject_id=campaign.pk).values_list("act", flat=True)
    )
    assert acts == [f"campaign.{act}" for act in ("created", "edited", "submitted", "approved", "launched")]
    assert not AuditEvent.objects.filter(subject_type="campaign", actor=None).exists()


@pytest.mark.django_db(transaction=True)
def test_of_many_launches_at_once_one_succeeds():
    campaign = make_approved_campaign(make_connection(), [make_contact(name="A")])
    user = make_user()
    outcomes: list[str] = []
    barrier = threading.Barrier(20)

    def click() -> None:
        barrier.wait(10)
        try:
            campaigns.launch_campaign(campaign=campaign, user=user, now=db_now())
            outcomes.append("launched")
        except Refused:
            outcomes.append("refused")
        finally:
            connections.close_all()

    clicks = [threading.Thread(target=click) for _ in range(20)]
    for one in clicks:
        one.start()
    for one in clicks:
        one.join()
    assert sorted(outcomes) == ["launched"] + ["refused"] * 19

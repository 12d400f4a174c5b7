"""Ticks look after everybody: no campaign, however broken, and no other process keeps them from that."""

from __future__ import annotations

from datetime import time, timedelta
from threading import Event, Thread

import pytest
from django.contrib.sessions.models import Session
from django.db import connections

from messaging import campaigns, planning, ticks
from messaging.alone import alone
from messaging.clock import db_now
from messaging.models import Campaign, Message
from tests.factories import (
    make_approved_campaign,
    make_connection,
    make_contact,
    make_draft,
    make_list,
    make_running_campaign,
    make_user,
)

pytestmark = pytest.mark.django_db
NO_ZONE = {"time_zone": "Asia/Kuala_Lumpur_", "quiet_from": time(22), "quiet_to": time(8)}


def submitted(campaign: Campaign) -> Campaign:
    return campaigns.submit_campaign(campaign=campaign, user=make_user(), now=db_now())


def a_draft(**fields: object) -> Campaign:
    return make_draft(make_connection(), [make_list([make_contact(name="A")])], **fields)


@pytest.fixture
def anything_goes(monkeypatch):
    """Rows that an older release, or SQL, may have left: no problem is found in a draft."""
    monkeypatch.setattr("messaging.campaigns.acts.problems", lambda campaign: [])


@pytest.mark.usefixtures("anything_goes")
def test_a_campaign_that_cannot_be_planned_keeps_no_other_from_being_planned():
    broken, good = submitted(a_draft(**NO_ZONE)), submitted(a_draft())
    ticks.tick()
    broken.refresh_from_db()
    good.refresh_from_db()
    assert good.plan_sealed_at
    assert not broken.plan_sealed_at


def test_a_campaign_that_cannot_be_started_keeps_no_other_from_starting(monkeypatch):
    broken, good = (make_approved_campaign(make_connection(), [make_contact(name="A")]) for _ in range(2))
    for campaign in (broken, good):
        campaigns.launch_campaign(campaign=campaign, user=make_user(), now=db_now())
    real = planning.quiet_verdict

    def quiet_verdict(campaign, at):
        if campaign.pk == broken.pk:
            raise ValueError("no such zone")
        return real(campaign, at)

    monkeypatch.setattr(planning, "quiet_verdict", quiet_verdict)
    ticks.tick()
    assert Message.objects.get(campaign=good).send_state == "queued"
    assert Message.objects.get(campaign=broken).send_state == "planned"


def test_a_tick_that_breaks_stops_none_behind_it(monkeypatch):
    def broken(_now):
        raise AttributeError("a bug")

    monkeypatch.setattr(ticks, "TICKS", (("broken", broken), *ticks.TICKS))
    campaign = make_running_campaign(make_connection(), [make_contact(name="A")])
    campaigns.cancel_campaign(campaign=campaign, user=make_user(), now=db_now())
    assert ticks.tick()["cancel"] == 1


@pytest.mark.django_db(transaction=True)
def test_a_tick_that_another_process_is_at_is_left_to_it_and_the_others_go_on():
    submitted(a_draft())
    cancelled = make_running_campaign(make_connection(), [make_contact(name="A")])
    campaigns.cancel_campaign(campaign=cancelled, user=make_user(), now=db_now())
    held, done = Event(), Event()

    def other() -> None:
        with alone("tick.plan") as mine:
            assert mine
            held.set()
            done.wait(10)
        connections.close_all()

    thread = Thread(target=other)
    thread.start()
    assert held.wait(10)
    assert ticks.tick() == {"cancel": 1}
    done.set()
    thread.join()
    assert ticks.tick() == {"plan": 1}


def test_sessions_that_ended_are_forgotten():
    for key, hours in (("over", -1), ("open", 1)):
        Session.objects.create(session_key=key, session_data="", expire_date=db_now() + timedelta(hours=hours))
    assert ticks.tick()["sessions"] == 1
    assert Session.objects.get().session_key == "open"

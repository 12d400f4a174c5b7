"""One worker's clock is an hour ahead, another's an hour behind: nothing early, doubled or outside the window."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from messaging import campaigns
from messaging.clock import db_now
from messaging.models import Campaign, Conversation, Message
from tests.chaos.rig import Rig
from tests.factories import make_approved_campaign, make_conversation, make_user

OPENING, SOON = "We open at nine.", "Soon."  # the sandbox takes them whatever window it knows: ours is at stake
PEOPLE, SCHEDULES, IN_S = 1_000, 5, 15
LIBRARY = "libfaketimeMT.so.1"
HALF_AN_HOUR, DAY = timedelta(minutes=30), timedelta(hours=24)


def run(rig: Rig) -> dict[str, Any]:
    library = next(Path("/usr/lib").glob(f"*/faketime/{LIBRARY}"), None)
    if library is None:
        return {"skipped": "needs the Debian package faketime"}
    wrong = {"LD_PRELOAD": str(library), "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_NO_CACHE": "1"}
    windows, still_open = _windows(rig)
    rig.sandbox.tell("templates", texts=[OPENING, SOON])
    due = [_scheduled(rig) for _ in range(SCHEDULES)]
    for name, shift in (("ahead", "+1h"), ("behind", "-1h")):
        rig.python(name, "-m", "tests.chaos.wrong_clock", FAKETIME=shift, **wrong)
    rig.finish(windows, *due, seconds=300)
    rows = Message.objects.filter(campaign__in=due).values_list("accepted_at", "campaign__send_at")
    early = sum(accepted < at for accepted, at in rows if accepted)
    outside = _outside(windows, still_open)
    sent = Message.objects.filter(campaign=windows, send_state="accepted").count()
    rig.expect(early == 0, f"{early} sent before their time")
    rig.expect(outside == 0, f"{outside} sent outside the window")
    rig.expect(sent == len(still_open), f"{sent} of {len(still_open)} with an open window got it")
    verdict = rig.verdict([windows, *due], unknown_at_most=0)
    return {"early": early, "outside": outside, "windows_open": len(still_open)} | verdict.figures


def _windows(rig: Rig) -> tuple[Campaign, set[int]]:
    """Free text to people whose window closed, or closes, half an hour from now; and those to whom it is open."""
    people = rig.contacts(rig.size(PEOPLE, least=40))
    now, still_open = db_now(), set()
    for number, contact in enumerate(people):
        last_mo_at = now - DAY + (HALF_AN_HOUR if number % 2 else -HALF_AN_HOUR)
        make_conversation(contact, rig.connection, last_mo_at=last_mo_at)
        if number % 2:
            still_open.add(contact.pk)
    campaign = rig.campaign(people, template_version=None, session_text=OPENING)
    return campaign, still_open


def _scheduled(rig: Rig) -> Campaign:
    """To people who wrote just now."""
    people = rig.contacts(rig.size(20, least=5))
    for contact in people:
        make_conversation(contact, rig.connection, last_mo_at=db_now())
    campaign = make_approved_campaign(
        rig.connection, people, template_version=None, session_text=SOON, send_at=db_now() + timedelta(seconds=IN_S)
    )
    rig.samples.watch(campaign)
    return campaigns.launch_campaign(campaign=campaign, user=make_user(), now=db_now())


def _outside(campaign: Campaign, still_open: set[int]) -> int:
    assert Conversation.objects.exists()
    rows = Message.objects.filter(campaign=campaign, send_state__in=["accepted", "unknown", "sending"])
    return rows.exclude(contact__in=still_open).count()

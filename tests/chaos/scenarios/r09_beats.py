"""Without beat a campaign completes, schedules are 60 s late at most; with three beats each of 20 launches once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from messaging import campaigns
from messaging.clock import db_now
from messaging.models import Campaign, Message
from tests.chaos.rig import PLAIN, Rig
from tests.factories import make_approved_campaign, make_approved_version, make_user

PEOPLE, SCHEDULES, BEATS, EACH, LATE_S = 1_000, 20, 3, 5, 60


def run(rig: Rig) -> dict[str, Any]:
    campaign = rig.campaign(rig.size(PEOPLE), text=PLAIN)
    without = _schedules(rig, max(5, rig.size(SCHEDULES) // 4), in_s=20)
    send, digest = rig.celery("send"), rig.celery("digest,house")
    rig.finish(campaign, *without, seconds=240)
    late = max(_lateness(one) for one in without)
    rig.expect(late <= LATE_S, f"a schedule was {late:.0f} s late without beat")
    with_three = _schedules(rig, max(5, rig.size(SCHEDULES)), in_s=15)
    beats = [rig.beat(f"beat{n}") for n in range(BEATS)]
    rig.finish(*with_three, seconds=240)
    for child in (*beats, send, digest):
        child.kill()
    schedules = [*without, *with_three]
    launched = sum(_accepted(one) == EACH for one in schedules)
    rig.expect(launched == len(schedules), f"{launched} of {len(schedules)} schedules launched once")
    latest = max(_lateness(one) for one in with_three)
    figures = {"schedules": len(schedules), "launched_once": launched, "without_beat_late_s": round(late, 1)}
    verdict = rig.verdict([campaign, *schedules], unknown_at_most=0)
    return figures | {"three_beats_late_s": round(latest, 1)} | verdict.figures


def _schedules(rig: Rig, count: int, *, in_s: float) -> list[Campaign]:
    """Approved and launched campaigns whose time is soon."""
    rig.sandbox.tell("templates", texts=[PLAIN])
    version, made = make_approved_version(PLAIN), []
    for _ in range(count):
        at = db_now() + timedelta(seconds=in_s)
        campaign = make_approved_campaign(
            rig.connection, rig.contacts(EACH), template_version=version, session_text="", send_at=at
        )
        campaigns.launch_campaign(campaign=campaign, user=make_user(), now=db_now())
        rig.samples.watch(campaign)
        made.append(campaign)
    return made


def _accepted(campaign: Campaign) -> int:
    return Message.objects.filter(campaign=campaign, send_state="accepted").count()


def _lateness(campaign: Campaign) -> float:
    """Seconds from its time to its first acceptance; negative would be early."""
    first = Message.objects.filter(campaign=campaign).order_by("accepted_at").values_list("accepted_at", flat=True)[0]
    return (first - campaign.send_at).total_seconds() if first else float("inf")

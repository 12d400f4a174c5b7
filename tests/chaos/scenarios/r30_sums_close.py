"""Conservation, sampled 20 times a second while rows are held, skipped, cancelled, expired, killed for and paused."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from messaging import campaigns
from messaging.clock import db_now
from messaging.models import Campaign
from tests.chaos import sums
from tests.chaos.dns import settle_unknowns
from tests.chaos.nemesis import Nemesis
from tests.chaos.rig import PLAIN, Rig
from tests.factories import make_user

PEOPLE, KILLS, WORKERS = 4_000, 10, 3


def run(rig: Rig) -> dict[str, Any]:
    sums.EVERY_S = 0.05
    each = rig.size(PEOPLE // 4, least=100)
    steady, cancelled = rig.campaign(each), rig.campaign(each, text=PLAIN)
    expiring = rig.campaign(each, not_after=db_now() + timedelta(seconds=20))
    held = rig.campaign(each, session_text="Hi {{name}}", template_version=None, until_reply=True)
    every = [steady, cancelled, expiring, held]
    rig.sandbox.faults({"fault": "drop_after", "share": 0.02, "seed": rig.seed})
    workers = rig.workers(WORKERS)
    nemesis = Nemesis(rig.chance, each)
    nemesis.plan("kill", rig.size(KILLS, least=3), lambda: workers.kill_one(rig.chance))
    nemesis.plan("pause", 2, lambda: _pause_and_resume(steady))
    nemesis.plan("cancel", 1, lambda: _cancel(cancelled, held))
    rig.finish(*every, nemesis=nemesis, seconds=600)
    workers.stop()
    settle_unknowns(rig)
    return {**nemesis.done_acts, **rig.verdict(every).figures}


def _pause_and_resume(campaign: Campaign) -> None:
    campaign.refresh_from_db()
    if campaign.state == Campaign.State.RUNNING:
        user = make_user()
        campaigns.pause_campaign(campaign=campaign, user=user, now=db_now())
        campaigns.resume_campaign(campaign=campaign, user=user, now=db_now())


def _cancel(*several: Campaign) -> None:
    for campaign in several:
        campaign.refresh_from_db()
        if campaign.state == Campaign.State.RUNNING:
            campaigns.cancel_campaign(campaign=campaign, user=make_user(), now=db_now())

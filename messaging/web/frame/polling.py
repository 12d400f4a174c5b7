"""How soon a page asks again: at once-a-second pace only while a person waits for something that is about to happen."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from messaging.models import Campaign, Connection, Message
from messaging.statuses import Status, Sums

SOON, USUAL, SELDOM = "1s", "3s", "10s"
SMALL = 2_000  # people; counting more of them costs more than a second's patience
LATELY = timedelta(minutes=1)
ON_ITS_WAY = {Status.QUEUED, Status.SENDING, Status.ACCEPTED, Status.SENT}
LIVE = (Campaign.State.PREPARING, Campaign.State.RUNNING, Campaign.State.PAUSED)


def conversation_asks(messages: Iterable[Message], now: datetime) -> str:
    """Soon while one of ours has left lately and no final word on it is here."""
    fresh = any(one.timeline_at > now - LATELY and one.status in ON_ITS_WAY for one in messages)
    return SOON if fresh else USUAL


def campaign_asks(campaign: Campaign, sums: Sums, now: datetime) -> str:
    """Soon while something of it moves, and while the last words on what it sent are due."""
    moves = bool(sums.to_send or sums.in_flight or sums.waiting) and campaign.connection.state == Connection.State.OK
    if campaign.state in LIVE:
        soon = moves and campaign.state != Campaign.State.PAUSED and sums.audience <= SMALL
        return SOON if soon else USUAL
    just_ended = bool(campaign.finished_at and campaign.finished_at > now - LATELY)
    if sums.in_flight or (just_ended and sums.waiting):
        return SOON if sums.audience <= SMALL else USUAL
    return SELDOM


def soonest(paces: Iterable[str]) -> str:
    """Of what a page shows; SELDOM for nothing."""
    found = set(paces)
    return next((pace for pace in (SOON, USUAL) if pace in found), SELDOM)

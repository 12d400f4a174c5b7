"""How many people have which lane for which reason."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection as database

from messaging.facts import quiet_hours
from messaging.models import Campaign
from messaging.planning.audience import everyone_sql
from messaging.policy import SENDING_LANES, Lane, Reason, Verdict
from messaging.rule_sql import counts_sql, too_late

BEFORE_EXPIRED = (Reason.ERASED, Reason.NO_NUMBER, Reason.NO_TEXT)


@dataclass(frozen=True, slots=True)
class LaneCount:
    """How many people have this lane for this reason."""

    lane: str
    reason: str
    people: int


def plan_time(campaign: Campaign, now: datetime) -> datetime:
    """The instant that the plan speaks of: the campaign's send time, or now if that is past or open."""
    return max(campaign.send_at or now, now)


def forecast(*, campaign: Campaign, at: datetime) -> list[LaneCount]:
    """The plan's counts for the audience as it is now, if it left at `at`."""
    return forecasts(campaign=campaign, ats=[at])[0]


def forecasts(*, campaign: Campaign, ats: Sequence[datetime]) -> list[list[LaneCount]]:
    """The same for each of these times, which ascend: the composer's strip of hours. One statement over its people."""
    members, lists = everyone_sql(campaign)
    rule = counts_sql(campaign, ats, members, **lists)
    found = [list[LaneCount]() for _at in ats]
    with database.cursor() as cursor:
        cursor.execute(rule.sql, rule.params)
        for place, lane, reason, people in cursor.fetchall():
            found[place].append(LaneCount(lane, reason, people))
    return [
        in_order(_with_quiet_hours(_without_the_late(counts, campaign, at), campaign, at))
        for at, counts in zip(ats, found, strict=True)
    ]


def _without_the_late(counts: list[LaneCount], campaign: Campaign, at: datetime) -> list[LaneCount]:
    """Past not_after nobody is sent to whom the rule looks at that far (policy._stopped)."""
    if not too_late(campaign, at):
        return counts
    kept = [count for count in counts if count.reason in BEFORE_EXPIRED]
    late = sum(count.people for count in counts if count.reason not in BEFORE_EXPIRED)
    return [*kept, LaneCount(Lane.SKIPPED, Reason.EXPIRED, late)] if late else kept


def _with_quiet_hours(counts: list[LaneCount], campaign: Campaign, at: datetime) -> list[LaneCount]:
    """Quiet hours turn every sending lane into a hold, or into expiry if they end past not_after."""
    hold = quiet_verdict(campaign, at)
    if hold is None:
        return counts
    kept = [count for count in counts if count.lane not in SENDING_LANES]
    quiet = sum(count.people for count in counts if count.lane in SENDING_LANES)
    return [*kept, LaneCount(hold.lane, hold.reason, quiet)] if quiet else kept


def quiet_verdict(campaign: Campaign, at: datetime) -> Verdict | None:
    """What quiet hours make of anyone who could be sent to at `at`; None outside them."""
    quiet = quiet_hours(campaign)
    until = quiet and quiet.until(at)
    if not until:
        return None
    if campaign.not_after is not None and until > campaign.not_after:
        return Verdict(Lane.SKIPPED, Reason.EXPIRED)
    return Verdict(Lane.HELD, Reason.QUIET_HOURS, until)


def in_order(counts: Iterable[LaneCount]) -> list[LaneCount]:
    """By lane, within one the largest first."""
    lanes = list(Lane)
    return sorted(counts, key=lambda count: (lanes.index(Lane(count.lane)), -count.people, count.reason))

"""The hours of the composer's Time: how people would be reached in each, which one is chosen, and how long it takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from messaging.models import Campaign
from messaging.planning import LaneCount, plan_time, quiet_verdict
from messaging.web.campaigns.figures import LaneGroup, lane_groups
from messaging.web.campaigns.moving import moving_words

HOURS = 24
HOUR = timedelta(hours=1)
LEAST = 3.0  # per cent of a bar's height: what is there at all can be seen


@dataclass(frozen=True, slots=True)
class Slice:
    """A lane's part of a bar that is 100 high, measured from its top."""

    lane: str
    y: float
    height: float


@dataclass(frozen=True, slots=True)
class Hour:
    """One bar: what a press of it sets, its words, and the plan's five numbers (None: not counted yet)."""

    key: str
    value: str  # ISO 8601 with its offset; empty for now
    label: str
    day: str  # where a day begins
    words: str
    quiet: bool
    chosen: bool
    groups: list[LaneGroup] | None
    slices: list[Slice]

    @property
    def said(self) -> str:
        """The bar in words."""
        if self.groups is None:
            return f"{self.words}: {_('counting…')}"
        counts = ", ".join(f"{group.words} {group.people:,}" for group in self.groups if group.people)
        quiet = f" ({_('quiet hours')})" if self.quiet else ""
        return f"{self.words}{quiet}: {counts or _('nobody')}"


@dataclass(frozen=True, slots=True)
class Strip:
    """The bars, whether they begin with this moment, and what moving the time means ("" while nothing is counted)."""

    hours: list[Hour]
    from_now: bool
    moving: str

    @property
    def quiet(self) -> bool:
        return any(hour.quiet for hour in self.hours)


def times(campaign: Campaign, now: datetime) -> list[datetime]:
    """Now and the 23 full hours after it; the 24 hours of its day if the campaign is to leave later than that."""
    zone = ZoneInfo(campaign.time_zone)
    full = now.astimezone(zone).replace(minute=0, second=0, microsecond=0)
    if campaign.send_at and campaign.send_at >= full + HOURS * HOUR:
        day = campaign.send_at.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
        return _hourly(day, HOURS)
    return [now, *_hourly(full, HOURS)[1:]]


def _hourly(first: datetime, count: int) -> list[datetime]:
    """Hours as they pass, whatever the clock does meanwhile."""
    start, zone = first.timestamp(), first.tzinfo
    return [datetime.fromtimestamp(start + n * HOUR.total_seconds(), zone) for n in range(count)]


def strip(campaign: Campaign, counted: Sequence[tuple[datetime, list[LaneCount]]] | None, now: datetime) -> Strip:
    """The bars as counted; without counts they still set the time."""
    counts: Sequence[tuple[datetime, list[LaneCount] | None]] = counted or [(at, None) for at in times(campaign, now)]
    starts = [at for at, _counts in counts]
    from_now = starts[0] <= now
    at = plan_time(campaign, now)
    chosen = max((n for n, hour in enumerate(starts) if hour <= at), default=0)
    hours = [
        _hour(campaign, one, of_it, now=from_now and not n, first=not n, chosen=n == chosen)
        for n, (one, of_it) in enumerate(counts)
    ]
    return Strip(hours, from_now, moving_words(campaign, counted, now) if counted else "")


def _hour(
    campaign: Campaign, at: datetime, counts: list[LaneCount] | None, *, now: bool, first: bool, chosen: bool
) -> Hour:
    local = at.astimezone(ZoneInfo(campaign.time_zone))
    groups = None if counts is None else lane_groups(counts)
    return Hour(
        key="now" if now else f"{local:%Y%m%d%H%z}".replace("+", "e").replace("-", "w"),
        value="" if now else local.isoformat(timespec="minutes"),
        label=_("now") if now else f"{local:%H}",
        day=date_format(local, "D") if first or local.hour == 0 else "",
        words=_("Now") if now else date_format(local, "D j M H:i"),
        quiet=quiet_verdict(campaign, at) is not None,
        chosen=chosen,
        groups=groups,
        slices=_slices(groups or []),
    )


def _slices(groups: list[LaneGroup]) -> list[Slice]:
    """Session text at the foot, skipped at the top."""
    seen = [group for group in groups if group.people]
    total = sum(group.people for group in seen)
    high = [max(100 * group.people / total, LEAST) for group in seen]
    scale, y, placed = 100 / (sum(high) or 1), 100.0, []
    for group, height in zip(seen, high, strict=True):
        y -= height * scale
        placed.append(Slice(group.lane, round(max(y, 0), 2), round(height * scale, 2)))
    return placed

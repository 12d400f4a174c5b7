"""The figures of a campaign as a page shows them: lanes of the plan, bars that add up, what differs from the plan."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from messaging import reports
from messaging.models import Campaign
from messaging.planning import LaneCount
from messaging.policy import SENDING_LANES, Lane
from messaging.statuses import Sums
from messaging.web.frame.parts import Bar, Piece
from messaging.web.frame.words import lane_words, reason_short, reason_words

PLAN_LANES = (*SENDING_LANES, Lane.HELD, Lane.SKIPPED)
RATE_SPAN = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class ReasonCount:
    reason: str
    short: str
    words: str
    people: int


@dataclass(frozen=True, slots=True)
class LaneGroup:
    """One of the plan's five numbers, with its reasons, the largest first."""

    lane: str
    words: str
    people: int
    reasons: list[ReasonCount]


def lane_groups(counts: Iterable[LaneCount]) -> list[LaneGroup]:
    """Always the five lanes in their order, whether or not anybody has them."""
    counts = list(counts)
    return [_lane_group(lane, [count for count in counts if count.lane == lane]) for lane in PLAN_LANES]


def _lane_group(lane: Lane, counts: list[LaneCount]) -> LaneGroup:
    reasons = [_reason_count(one) for one in counts]
    return LaneGroup(lane.value, lane_words(lane), sum(one.people for one in counts), reasons)


def _reason_count(count: LaneCount) -> ReasonCount:
    return ReasonCount(count.reason, reason_short(count.reason), reason_words(count.reason), count.people)


def to_leave(counts: Iterable[LaneCount]) -> int:
    """How many messages a plan promises: those that leave, and those held that still may."""
    return sum(one.people for one in counts if one.lane in (*SENDING_LANES, Lane.HELD))


AUDIENCE_PIECES = {
    "submitted": (_("submitted"), "ok"),
    "in_flight": (_("being sent"), "info"),
    "to_send": (_("to send"), "none"),
    "held": (_("held back"), "wait"),
    "skipped": (_("skipped"), "quiet"),
    "refused": (_("refused"), "bad"),
    "expired": (_("expired"), "sms"),
    "stuck": (_("stuck"), "unsure"),
    "cancelled": (_("cancelled"), "sms"),
}
SUBMITTED_PIECES = {
    "delivered": (_("delivered"), "ok"),
    "waiting": (_("no report yet"), "info"),
    "undelivered": (_("not delivered"), "bad"),
    "unknown": (_("unknown"), "unsure"),
}
OUTCOME_WORDS = {key: words for key, (words, _tone) in (AUDIENCE_PIECES | SUBMITTED_PIECES).items()}


def bars(sums: Sums, url: str = "") -> list[Bar]:
    """Audience = submitted + skipped + …; submitted = delivered + waiting + …; each piece leads to its people."""
    return [
        Bar(_("Audience"), _pieces(AUDIENCE_PIECES, sums, url)),
        Bar(_("Submitted to the provider"), _pieces(SUBMITTED_PIECES, sums, url)),
    ]


def fate_bar(sums: Sums) -> Bar:
    """Both in one, where there is room for one: the audience, and of those submitted what became of them."""
    before = {outcome: piece for outcome, piece in AUDIENCE_PIECES.items() if outcome != "submitted"}
    return Bar(_("Audience"), _pieces(SUBMITTED_PIECES | before, sums, ""))


def _pieces(parts: Mapping[str, tuple[Promise, str]], sums: Sums, url: str) -> list[Piece]:
    return [
        Piece(words, getattr(sums, outcome), tone, f"{url}?outcome={outcome}#people" if url else "")
        for outcome, (words, tone) in parts.items()
    ]


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast messages leave just now, and when the rest will be gone at this pace (None: cannot be said)."""

    per_second: float
    ends_at: datetime | None

    @property
    def shown(self) -> str:
        return f"{self.per_second:,.0f}" if self.per_second >= 1 else f"{self.per_second:.1f}"


def pace(campaign: Campaign, sums: Sums, now: datetime) -> Pace | None:
    """The pace over the last half minute; None unless the campaign is running and something left."""
    if campaign.state != Campaign.State.RUNNING:
        return None
    lately = (
        campaign.messages.counted()
        .filter(accepted_at__gt=now - RATE_SPAN)
        .aggregate(n=Count("pk"), first=Min("accepted_at"))
    )
    if not lately["n"]:
        return None
    span = max((now - lately["first"]).total_seconds(), 1.0)
    per_second = lately["n"] / span
    rest = sums.to_send + sums.in_flight
    return Pace(per_second, now + timedelta(seconds=rest / per_second) if rest else None)


@dataclass(frozen=True, slots=True)
class Change:
    """People for whom something else happened than planned."""

    planned: str
    happened: str
    lane: str
    people: int


def changes(tally: reports.Tally) -> list[Change]:
    """Planned against happened, the largest difference first; rows not decided yet are no difference."""
    return [
        Change(lane_words(planned), lane_words(lane), lane, people)
        for (planned, lane), people in tally.changed.most_common()
        if planned
    ]

"""The figures of a campaign as a page shows them: lanes of the plan, bars that add up, what to do about failures."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Min
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from messaging import reports
from messaging.models import Campaign, Outcome, RequestRecipient
from messaging.planning import LaneCount
from messaging.policy import SENDING_LANES, Lane
from messaging.providers.codes import DnClass, answer_code, dn_code
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
    "waiting": (_("waiting for word"), "info"),
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
class Failure:
    """People whose message failed in one way: the code in words, and how to see them."""

    code: str
    words: str
    next_step: str
    people: int
    outcome: str  # of PeopleFilter


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failures by what a person can do about them."""

    words: str | Promise
    failures: list[Failure]

    @property
    def people(self) -> int:
        return sum(failure.people for failure in self.failures)


LATER, NUMBER, TEXT, ACCOUNT, ALONE = (
    _("Try again later"),
    _("Check the number"),
    _("Change the text"),
    _("Settle it with the provider"),
    _("Leave alone"),
)
TO_DO = {
    DnClass.TRANSIENT: LATER,
    DnClass.HANDSET: LATER,
    DnClass.NUMBER: NUMBER,
    DnClass.CONTENT: TEXT,
    DnClass.NO_CREDIT: ACCOUNT,
    DnClass.WHITELIST: ACCOUNT,
    DnClass.SENDER_ID: ACCOUNT,
    DnClass.TECHNICAL: ACCOUNT,
    DnClass.OPTED_OUT: ALONE,
}
TO_DO_FOR_ANSWER = {400: NUMBER, 405: NUMBER, 406: TEXT}


def failure_groups(campaign: Campaign) -> list[FailureGroup]:
    """Undelivered and refused messages by what to do, the largest group first."""
    groups: dict[str | Promise, list[Failure]] = {}
    for to_do, failure in [*_undelivered(campaign), *_refused(campaign)]:
        groups.setdefault(to_do, []).append(failure)
    return sorted((FailureGroup(words, found) for words, found in groups.items()), key=lambda one: -one.people)


def _undelivered(campaign: Campaign) -> Iterable[tuple[str | Promise, Failure]]:
    rows = campaign.messages.counted().filter(delivery_state="undelivered").order_by()
    for raw, people in rows.values_list("error_code").annotate(people=Count("pk")):
        code = dn_code(raw)
        words, step = (code.words, code.next_step) if code else (_("The provider gave no reason."), "")
        yield TO_DO.get(code.kind, LATER) if code else LATER, Failure(raw, str(words), str(step), people, "undelivered")


def _refused(campaign: Campaign) -> Iterable[tuple[str | Promise, Failure]]:
    """By the code of the request that refused each message for good."""
    rows = RequestRecipient.objects.filter(
        message__campaign=campaign, message__send_state="refused", message__fallback_of=None, outcome=Outcome.REFUSED
    )
    last = dict(rows.order_by("pk").values_list("message", "request__code"))
    for raw, people in Counter(last.values()).items():
        code = answer_code(raw)
        to_do = TO_DO_FOR_ANSWER.get(code.code, ACCOUNT) if isinstance(code.code, int) else ACCOUNT
        yield to_do, Failure(raw, str(code.words), str(code.next_step), people, "refused")


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

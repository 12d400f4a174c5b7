"""What another hour would change, in one sentence under the strip of hours."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from messaging.models import Campaign
from messaging.planning import LaneCount, quiet_verdict
from messaging.policy import SENDING_LANES, Lane
from messaging.web.campaigns.duration import on_its_clock
from messaging.web.frame import words

FREE_TEXT = (
    _("If it leaves now, %(before)s may get the free text; from %(first)s on, %(after)s."),
    _("Until %(last)s, %(before)s may get the free text; from %(first)s on, %(after)s."),
)
ANY_MESSAGE = (
    _("If it leaves now, %(before)s would get a message; from %(first)s on, %(after)s."),
    _("Until %(last)s, %(before)s would get a message; from %(first)s on, %(after)s."),
)

Counted = Sequence[tuple[datetime, list[LaneCount]]]


@dataclass(frozen=True, slots=True)
class Turn:
    """Where a number changes most: no hour up to `last` and none from `first` on lies on the other's side of it.

    With several numbers on a side it is bounded by the nearest of them: `before`, `after`.
    """

    last: datetime
    first: datetime
    earlier: tuple[int, ...]
    later: tuple[int, ...]

    @property
    def before(self) -> int:
        return min(self.earlier) if self.falls else max(self.earlier)

    @property
    def after(self) -> int:
        return max(self.later) if self.falls else min(self.later)

    @property
    def falls(self) -> bool:
        return min(self.earlier) > max(self.later)

    @property
    def by(self) -> int:
        return max(min(self.earlier) - max(self.later), min(self.later) - max(self.earlier))


def moving_words(campaign: Campaign, counted: Counted, now: datetime) -> str:
    """“Until 13:00, 312 people may get the free text; from 14:00 on, 45.” Empty where nobody would get anything.

    Quiet hours are left out: they change nothing about who may get what, and the strip draws them.
    """
    awake = [(at, counts) for at, counts in counted if quiet_verdict(campaign, at) is None]
    if not any(_leaving(counts) for _at, counts in awake):
        return ""
    for number, told in ((_free, FREE_TEXT), (_leaving, ANY_MESSAGE)):
        if turn := _turn(awake, number):
            return _told(campaign, turn, now, told)
    if any(_by_lane(counts) != _by_lane(awake[0][1]) for _at, counts in awake):
        return ""
    if len(awake) < len(counted):
        return _now("Outside quiet hours the hour makes no difference: the numbers are the same in all of them.")
    return _now("The hour makes no difference: the numbers are the same in all of them.")


def _by_lane(counts: list[LaneCount]) -> Counter[str]:
    found = Counter[str]()
    for one in counts:
        found[one.lane] += one.people
    return found


def _free(counts: list[LaneCount]) -> int:
    return sum(one.people for one in counts if one.lane == Lane.SESSION)


def _leaving(counts: list[LaneCount]) -> int:
    return sum(one.people for one in counts if one.lane in SENDING_LANES)


def _turn(counted: Counted, number: Callable[[list[LaneCount]], int]) -> Turn | None:
    ats, numbers = [at for at, _counts in counted], tuple(number(counts) for _at, counts in counted)
    turns = [Turn(ats[n - 1], ats[n], numbers[:n], numbers[n:]) for n in range(1, len(numbers))]
    found = max(turns, key=lambda one: one.by, default=None)
    return found if found and found.by > 0 else None


def _told(campaign: Campaign, turn: Turn, now: datetime, sentences: tuple[Promise, Promise]) -> str:
    """In the first of the sentences if it is about leaving now, else in the second."""
    least, most = _now("at least %s"), _now("at most %s")
    before = words.people(turn.before) if turn.before else _now("nobody")
    after = f"{turn.after:,}" if turn.after else _now("nobody")
    if turn.before and len(set(turn.earlier)) > 1:
        before = (least if turn.falls else most) % before
    if turn.after and len(set(turn.later)) > 1:
        after = (most if turn.falls else least) % after
    return str(sentences[turn.last > now]) % {
        "before": before,
        "last": on_its_clock(campaign, turn.last, now),
        "first": on_its_clock(campaign, turn.first, now),
        "after": after,
    }

"""The rule: how, and whether, one message may leave now. Pure and total: every combination of facts has one verdict.

Planning, the gate, the inbox and every door ask `decide`; its SQL twin (rule_sql.py) counts large audiences and a
property test holds the two equal. The 24 hours are the provider's: Bulk360 WhatsApp API V3.0, "Session Message".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from messaging.statuses import Channel

SESSION_WINDOW = timedelta(hours=24)
RULE_VERSION = "2026-11-27.2"


class Lane(StrEnum):
    SESSION = "session"
    TEMPLATE = "template"
    SMS = "sms"
    HELD = "held"
    SKIPPED = "skipped"
    EXPIRED = "expired"

    @property
    def channel(self) -> Channel:
        """The channel that a sending lane uses."""
        return Channel.SMS if self is Lane.SMS else Channel.WHATSAPP


SENDING_LANES = (Lane.SESSION, Lane.TEMPLATE, Lane.SMS)  # in the order in which they are tried


class Reason(StrEnum):
    """Why a message leaves by its lane, or does not leave. A text's own problem names the variable after a colon."""

    WINDOW_OPEN = "window_open"
    WINDOW_WAIVED = "window_waived"
    TEMPLATE_APPROVED = "template_approved"
    SMS_TEXT = "sms_text"
    QUIET_HOURS = "quiet_hours"
    UNTIL_REPLY = "until_reply"
    ERASED = "erased"
    NO_NUMBER = "no_number"
    NO_TEXT = "no_text"
    EXPIRED = "expired"
    OPTED_OUT = "opted_out"
    NO_CONSENT = "no_consent"
    NUMBER_BAD = "number_bad"
    REACHED = "reached"
    CAPPED = "capped"
    WINDOW_CLOSED = "window_closed"
    MARKETING_IN_TEMPLATE = "marketing_in_template"
    TEMPLATE_NOT_APPROVED = "template_not_approved"
    MISSING_VARIABLE = "missing_variable"
    UNFIT_VARIABLE = "unfit_variable"


SENT_BECAUSE = {
    Lane.SESSION: Reason.WINDOW_OPEN,
    Lane.TEMPLATE: Reason.TEMPLATE_APPROVED,
    Lane.SMS: Reason.SMS_TEXT,
}


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` until `end` on the clock of `zone`; over midnight when start is later than end."""

    start: time
    end: time
    zone: ZoneInfo

    def until(self, now: datetime) -> datetime | None:
        """When the quiet hours that `now` lies in end, or None outside them."""
        local = now.astimezone(self.zone)
        clock = local.time()
        by_night = self.start > self.end
        if not (clock >= self.start or clock < self.end if by_night else self.start <= clock < self.end):
            return None
        day = local.date() + timedelta(days=1) if clock >= self.end else local.date()
        return datetime.combine(day, self.end, self.zone)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything the rule looks at. `texts` has each lane that has a text: None if it renders, else why not."""

    texts: Mapping[Lane, str | None]
    erased: bool = False
    has_number: bool = True
    opted_out: Mapping[Channel, datetime] = field(default_factory=dict)  # since when, for this message's purpose
    consent_missing: bool = False
    bad: frozenset[Channel] = frozenset()
    reached: bool = False  # by another try of the same message, or one that came first may still reach them
    capped: bool = False
    last_mo_at: datetime | None = None
    margin: timedelta = timedelta(0)  # the window counts as closed so long before its end
    window_waived: bool = False  # a door client that is only observed: free text may leave at any time
    answers_mo_at: datetime | None = None  # set for an agent's reply: the MO it answers
    confirms_opt_out: bool = False
    until_reply: bool = False
    not_after: datetime | None = None
    queued: bool = False  # past its not_after, a queued message expires and one not yet queued is skipped
    quiet: QuietHours | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """A lane and its reason; `until` for a hold that ends by the clock; `window_ends_at` if they ever wrote."""

    lane: Lane
    reason: str
    until: datetime | None = None
    window_ends_at: datetime | None = None

    @property
    def sends(self) -> bool:
        return self.lane in SENDING_LANES

    def facts(self, facts: Facts) -> dict[str, Any]:
        """What the verdict was reached on, for the message's row."""
        return {
            "rule": RULE_VERSION,
            "last_mo_at": facts.last_mo_at and facts.last_mo_at.isoformat(),
            "window_ends_at": self.window_ends_at and self.window_ends_at.isoformat(),
        }


def window_ends_at(last_mo_at: datetime | None) -> datetime | None:
    """The last instant of the session window, or None if they never wrote."""
    return last_mo_at and last_mo_at + SESSION_WINDOW


def session_open(last_mo_at: datetime | None, now: datetime, margin: timedelta = timedelta(0)) -> bool:
    """Whether free text may leave at `now`; the 24th hour's last instant still may ("more than 24 hours")."""
    return last_mo_at is not None and now + margin - last_mo_at <= SESSION_WINDOW


def opt_out_stops(since: datetime, answers_mo_at: datetime | None) -> bool:
    """Whether an opt-out of that moment stops a message; an answer to what they wrote later leaves all the same."""
    return answers_mo_at is None or answers_mo_at <= since


def decide(facts: Facts, now: datetime) -> Verdict:
    """What happens to this message at `now` (aware), and why. Raises nothing."""
    ends_at = window_ends_at(facts.last_mo_at)
    stop = _stopped(facts, now)
    if stop:
        late = stop is Reason.EXPIRED and facts.queued
        return Verdict(Lane.EXPIRED if late else Lane.SKIPPED, stop, None, ends_at)
    failed: dict[Lane, str] = {}
    for lane in SENDING_LANES:
        if lane not in facts.texts:
            continue
        problem = _problem(lane, facts, now)
        if problem is None:
            return _quietly(Verdict(lane, _sent_because(lane, facts, now), None, ends_at), facts, now)
        failed[lane] = problem
    if facts.until_reply and failed.get(Lane.SESSION) == Reason.WINDOW_CLOSED and facts.texts[Lane.SESSION] is None:
        return Verdict(Lane.HELD, Reason.UNTIL_REPLY, None, ends_at)
    return Verdict(Lane.SKIPPED, _mendable(failed.values()), None, ends_at)


def _mendable(problems: Iterable[str]) -> str:
    """The first one but a closed window, where there is another: that somebody has not written is nobody's mistake."""
    several = list(problems)
    return next((one for one in several if one != Reason.WINDOW_CLOSED), several[0])


def _stopped(facts: Facts, now: datetime) -> Reason | None:
    """The first thing that stops the message whatever its lane."""
    channels = {lane.channel for lane in facts.texts}
    if facts.erased:
        return Reason.ERASED
    if not facts.has_number:
        return Reason.NO_NUMBER
    if not channels:
        return Reason.NO_TEXT
    if facts.not_after is not None and now > facts.not_after:
        return Reason.EXPIRED
    if all(_opted_out(channel, facts) for channel in channels):
        return Reason.OPTED_OUT
    if facts.consent_missing:
        return Reason.NO_CONSENT
    if channels <= facts.bad:
        return Reason.NUMBER_BAD
    if facts.reached:
        return Reason.REACHED
    if facts.capped:
        return Reason.CAPPED
    return None


def _opted_out(channel: Channel, facts: Facts) -> bool:
    since = facts.opted_out.get(channel)
    if since is None or facts.confirms_opt_out:
        return False
    return opt_out_stops(since, facts.answers_mo_at)


def _problem(lane: Lane, facts: Facts, now: datetime) -> str | None:
    """Why this lane is shut, or None if it is open."""
    if _opted_out(lane.channel, facts):
        return Reason.OPTED_OUT
    if lane.channel in facts.bad:
        return Reason.NUMBER_BAD
    if lane is Lane.SESSION and not facts.window_waived and not _window_open(facts, now):
        return Reason.WINDOW_CLOSED
    return facts.texts[lane]


def _sent_because(lane: Lane, facts: Facts, now: datetime) -> Reason:
    waived = lane is Lane.SESSION and not _window_open(facts, now)
    return Reason.WINDOW_WAIVED if waived else SENT_BECAUSE[lane]


def _window_open(facts: Facts, now: datetime) -> bool:
    return session_open(facts.last_mo_at, now, facts.margin)


def _quietly(verdict: Verdict, facts: Facts, now: datetime) -> Verdict:
    """The same verdict outside quiet hours; inside them a hold, unless it would end past `not_after`."""
    until = facts.quiet and facts.quiet.until(now)
    if not until:
        return verdict
    if facts.not_after is not None and until > facts.not_after:
        return Verdict(Lane.EXPIRED if facts.queued else Lane.SKIPPED, Reason.EXPIRED, None, verdict.window_ends_at)
    return Verdict(Lane.HELD, Reason.QUIET_HOURS, until, verdict.window_ends_at)

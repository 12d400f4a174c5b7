"""The rule's SQL twin: lane and reason of a campaign's people, for counting and for starting a campaign set-based.

It says exactly what `policy.decide` says for a message not yet queued, quiet hours left out (they are the same for
everyone in a campaign, so the caller applies them to the result). A property test holds the two equal.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from contacts.models import ALL, Purpose
from messaging import text
from messaging.facts import CAP_PERIOD, Bodies
from messaging.models import Campaign
from messaging.policy import SENDING_LANES, SENT_BECAUSE, SESSION_WINDOW, Lane, Reason

# What Python's str.isspace() says; PostgreSQL's own classes depend on the locale.
_BLANK = r"\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_LINE_BREAK_OR_TAB = r"\u0009-\u000d\u001c-\u001e\u0085\u2028\u2029"
_UNFIT = rf"[{_LINE_BREAK_OR_TAB}]|[{_BLANK}][{_BLANK}]"


@dataclass(frozen=True, slots=True)
class RuleSQL:
    """A query giving (contact_id, lane, reason) and what is handed on for each row of `people_sql`; its parameters."""

    sql: str
    params: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Clock:
    """What the time alone decides, each as SQL; `clock` has the values."""

    window_edge: str
    cap_since: str
    late: str


AT_ONCE = Clock("%(at_with_margin_window)s", "%(cap_since)s", "%(late)s")
ROW_BY_ROW = Clock("people.at_with_margin_window", "people.cap_since", "people.late")


def clock(campaign: Campaign, at: datetime) -> dict[str, Any]:
    """The rule's parameters that hang on the time it is asked for."""
    return {
        "at_with_margin_window": _window_edge(campaign, at),
        "cap_since": at - CAP_PERIOD,
        "late": campaign.not_after is not None and at > campaign.not_after,
    }


def rule_sql(
    campaign: Campaign,
    at: datetime,
    people_sql: str,
    hand_on: Sequence[str] = (),
    when: Clock = AT_ONCE,
    /,
    **people_params: Any,
) -> RuleSQL:
    """The rule asked at `at` about everyone in `people_sql`, a SELECT with a column contact_id.

    With ROW_BY_ROW each of its rows has a time of its own: columns of the names and values that `clock` gives.

    `hand_on` names further columns of it that the result keeps: to join them again by contact_id would be left to the
    planner's guess of how many there are, and where it guesses one, everybody is compared with everybody. OFFSET 0
    keeps the planner from working a value or a fact out anew wherever it is named.
    """
    bodies = Bodies.of_campaign(campaign)
    lanes = [lane for lane in SENDING_LANES if lane in bodies.of]
    connection = campaign.connection
    params: dict[str, Any] = {
        "connection": connection.pk,
        "purpose": campaign.purpose,
        "at": at,
        "cap": connection.daily_cap,
        "asks_opt_in": campaign.purpose == Purpose.MARKETING and connection.marketing_needs_opt_in,
        "blank": f"^[{_BLANK}]*$",
        "unfit": _UNFIT,
        **clock(campaign, at),
        **people_params,
    }
    names = list(dict.fromkeys(name for lane in lanes for name in text.placeholders(bodies.of[lane])))
    problems = ", ".join(f"{_problem(lane, bodies, when)} AS {lane}_problem" for lane in lanes)
    kept, of_people = (", ".join(["", *(f"{prefix}{name}" for name in hand_on)]) for prefix in ("", "people."))
    sql = f"""
        WITH people AS ({people_sql}), suppressed AS (
            SELECT address_hmac, bool_or(channel IN ('{ALL}', 'whatsapp')) AS whatsapp,
                   bool_or(channel IN ('{ALL}', 'sms')) AS sms
            FROM contacts_suppression WHERE purpose IN ('{ALL}', %(purpose)s) GROUP BY address_hmac
        ), facts AS (
            SELECT c.id AS contact_id{of_people}, {_stop(lanes, when)} AS stop,
                   {_session_text(bodies)} AS session_text_problem {", " + problems if problems else ""}
            FROM people JOIN contacts_contact c ON c.id = people.contact_id {_values(names)}
            LEFT JOIN messaging_conversation w
                   ON w.contact_id = c.id AND w.connection_id = %(connection)s AND w.channel = 'whatsapp'
            LEFT JOIN suppressed s ON s.address_hmac = c.address_hmac
            OFFSET 0
        )
        SELECT contact_id{kept}, {_lane(lanes, campaign)} AS lane, {_reason(lanes, campaign)} AS reason FROM facts
    """
    return RuleSQL(sql, params)


def _window_edge(campaign: Campaign, at: datetime) -> datetime:
    """The latest MO time for which the window counts as closed is just before this."""
    return at + timedelta(seconds=campaign.connection.window_margin_s) - SESSION_WINDOW


def _out(lane: Lane) -> str:
    return f"COALESCE(s.{lane.channel}, false)"


def _bad(lane: Lane) -> str:
    return f"c.{lane.channel}_bad_at IS NOT NULL"


def _stop(lanes: list[Lane], when: Clock) -> str:
    """The first thing that stops a message whatever its lane; NULL if nothing does (policy._stopped)."""
    if not lanes:
        return f"""CASE WHEN c.erased_at IS NOT NULL THEN '{Reason.ERASED}'
                        WHEN c.msisdn IS NULL THEN '{Reason.NO_NUMBER}' ELSE '{Reason.NO_TEXT}' END"""
    return f"""CASE
        WHEN c.erased_at IS NOT NULL THEN '{Reason.ERASED}'
        WHEN c.msisdn IS NULL THEN '{Reason.NO_NUMBER}'
        WHEN {when.late} THEN '{Reason.EXPIRED}'
        WHEN {" AND ".join(_out(lane) for lane in lanes)} THEN '{Reason.OPTED_OUT}'
        WHEN %(asks_opt_in)s AND NOT EXISTS (
            SELECT 1 FROM contacts_consentevent e WHERE e.contact_id = c.id AND e.direction = 'in'
               AND e.purpose IN ('{ALL}', '{Purpose.MARKETING}')) THEN '{Reason.NO_CONSENT}'
        WHEN {" AND ".join(_bad(lane) for lane in lanes)} THEN '{Reason.NUMBER_BAD}'
        WHEN %(cap)s::int IS NOT NULL AND (
            SELECT count(*) FROM messaging_message m WHERE m.contact_id = c.id AND m.connection_id = %(connection)s
               AND m.direction = 'mt' AND m.timeline_at > {when.cap_since}
               AND m.send_state IN ('sending', 'accepted', 'unknown')) >= %(cap)s::int THEN '{Reason.CAPPED}'
        END"""


def _values(names: list[str]) -> str:
    """What is wrong with each placeholder's value."""
    if not names:
        return ""
    problems = ", ".join(f"{_value_problem(name)} AS {name}_problem" for name in names)
    return f"CROSS JOIN LATERAL (SELECT {problems} OFFSET 0) v"


def _value_problem(name: str) -> str:
    """Missing, then unfit; NULL if it can be put in (text.CompiledBody.render)."""
    value = f"c.{name}" if name in ("name", "msisdn") else f"(c.fields->>'{name}')"
    return f"""CASE WHEN COALESCE({value}, '') ~ %(blank)s THEN '{Reason.MISSING_VARIABLE}:{name}'
                    WHEN char_length({value}) > {text.VALUE_LIMIT} OR {value} ~ %(unfit)s
                    THEN '{Reason.UNFIT_VARIABLE}:{name}' END"""


def _problem(lane: Lane, bodies: Bodies, when: Clock) -> str:
    """Why a lane is shut; NULL if it is open (policy._problem)."""
    closed = (
        f"WHEN w.last_mo_at IS NULL OR w.last_mo_at < {when.window_edge} THEN '{Reason.WINDOW_CLOSED}'"
        if lane is Lane.SESSION
        else ""
    )
    unusable = (
        f"WHEN true THEN '{bodies.template_problem}'" if lane is Lane.TEMPLATE and bodies.template_problem else ""
    )
    return f"""CASE WHEN {_out(lane)} THEN '{Reason.OPTED_OUT}'
                    WHEN {_bad(lane)} THEN '{Reason.NUMBER_BAD}'
                    {closed} {unusable} ELSE {_text_problem(lane, bodies)} END"""


def _session_text(bodies: Bodies) -> str:
    """Why the session text does not render, apart from the window: only a text that renders is worth holding."""
    return _text_problem(Lane.SESSION, bodies) if Lane.SESSION in bodies.of else "NULL"


def _text_problem(lane: Lane, bodies: Bodies) -> str:
    """That of its first placeholder that has one."""
    names = text.placeholders(bodies.of[lane])
    return f"COALESCE({', '.join(f'v.{name}_problem' for name in names)})" if names else "NULL"


def _lane(lanes: list[Lane], campaign: Campaign) -> str:
    open_lanes = " ".join(f"WHEN {lane}_problem IS NULL THEN '{lane}'" for lane in lanes)
    return f"""CASE WHEN stop IS NOT NULL THEN '{Lane.SKIPPED}' {open_lanes}
                    {_hold(lanes, campaign, Lane.HELD)} ELSE '{Lane.SKIPPED}' END"""


def _reason(lanes: list[Lane], campaign: Campaign) -> str:
    open_lanes = " ".join(f"WHEN {lane}_problem IS NULL THEN '{SENT_BECAUSE[lane]}'" for lane in lanes)
    mendable = [f"NULLIF({lane}_problem, '{Reason.WINDOW_CLOSED}')" for lane in lanes]
    first = f"COALESCE({', '.join([*mendable, f'{lanes[0]}_problem'])})" if lanes else f"'{Reason.NO_TEXT}'"
    return f"""CASE WHEN stop IS NOT NULL THEN stop {open_lanes}
                    {_hold(lanes, campaign, Reason.UNTIL_REPLY)} ELSE {first} END"""


def _hold(lanes: list[Lane], campaign: Campaign, word: str) -> str:
    if Lane.SESSION not in lanes or not campaign.until_reply:
        return ""
    return f"WHEN session_problem = '{Reason.WINDOW_CLOSED}' AND session_text_problem IS NULL THEN '{word}'"

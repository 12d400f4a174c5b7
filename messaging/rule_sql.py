"""The rule's SQL twin: lane and reason of a campaign's people, for counting and for starting a campaign set-based.

It says exactly what `policy.decide` says for a message not yet queued, quiet hours left out (they are the same for
everyone in a campaign, so the caller applies them to the result). A property test holds the two equal.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from contacts.models import ALL, Purpose
from messaging import text
from messaging.facts import CAP_PERIOD, REACHED_SQL, Bodies
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


def rule_sql(
    campaign: Campaign, at: datetime, people_sql: str, hand_on: Sequence[str] = (), /, **people_params: Any
) -> RuleSQL:
    """The rule asked at `at` about everyone in `people_sql`, a SELECT with a column contact_id.

    `hand_on` names further columns of it that the result keeps: to join them again by contact_id would be left to the
    planner's guess of how many there are, and where it guesses one, everybody is compared with everybody.
    """
    facts = _facts(campaign, [at], people_sql, hand_on, people_params)
    sql = f"""SELECT {", ".join(["contact_id", *hand_on])}, {_verdict(facts.lanes, campaign, "0")}
              FROM ({facts.sql}) facts"""
    return RuleSQL(sql, facts.params)


def counts_sql(campaign: Campaign, ats: Sequence[datetime], people_sql: str, /, **people_params: Any) -> RuleSQL:
    """(at, lane, reason, people): how many people the rule decides how at each time, `at` being its place in `ats`.

    The times ascend, and not_after is left out: it is the same for everyone (`too_late`). Each person is looked at
    once; whoever has the same facts, and the same window to lose, is decided together, time by time.
    """
    facts = _facts(campaign, ats, people_sql, (), people_params)
    names = ", ".join(facts.names)
    sql = f"""
        WITH kinds AS (SELECT {names}, count(*) AS people FROM ({facts.sql}) facts GROUP BY {names})
        SELECT at, {_verdict(facts.lanes, campaign, "at")}, sum(people)::bigint
        FROM kinds CROSS JOIN generate_series(0, %(times)s - 1) at GROUP BY 1, 2, 3
    """
    return RuleSQL(sql, facts.params | {"late": False, "times": len(ats)})


def too_late(campaign: Campaign, at: datetime) -> bool:
    """Whether `at` is past the time after which nobody wants the message any more."""
    return campaign.not_after is not None and at > campaign.not_after


@dataclass(frozen=True, slots=True)
class _Facts:
    """A query of one row a person, and what of it the verdict hangs on. Times are those asked for, in their order.

    `open_for` and `capped_for` say for how many of them, from the first on, a window is open and the daily cap is
    reached: a window only closes, and a cap only ends, until somebody writes or is sent something. width_bucket counts
    the times whose edge is at or before a moment.
    """

    sql: str
    params: dict[str, Any]
    names: list[str]
    lanes: list[Lane]


def _facts(
    campaign: Campaign,
    ats: Sequence[datetime],
    people_sql: str,
    hand_on: Sequence[str],
    people_params: Mapping[str, Any],
) -> _Facts:
    """OFFSET 0 keeps the planner from working a fact out anew wherever it is named."""
    bodies = Bodies.of_campaign(campaign)
    lanes = [lane for lane in SENDING_LANES if lane in bodies.of]
    names = list(dict.fromkeys(name for lane in lanes for name in text.placeholders(bodies.of[lane])))
    columns = {
        "stop": _stop(lanes, retries=campaign.retry_of_id is not None),
        "capped_for": _capped_for(campaign.connection.daily_cap, len(ats)),
        **{f"{lane}_shut": _shut(lane, bodies) for lane in lanes},
        **{f"{lane}_text": _text_problem(lane, bodies) for lane in lanes},
    }
    if Lane.SESSION in lanes:
        columns["open_for"] = "COALESCE(width_bucket(w.last_mo_at, %(edges)s::timestamptz[]), 0)"
    kept = [f"people.{name}" for name in hand_on]
    sql = f"""
        WITH people AS ({people_sql}), suppressed AS (
            SELECT address_hmac, bool_or(channel IN ('{ALL}', 'whatsapp')) AS whatsapp,
                   bool_or(channel IN ('{ALL}', 'sms')) AS sms
            FROM contacts_suppression WHERE purpose IN ('{ALL}', %(purpose)s) GROUP BY address_hmac
        )
        SELECT {", ".join(["c.id AS contact_id", *kept, *(f"{sql} AS {name}" for name, sql in columns.items())])}
        FROM people JOIN contacts_contact c ON c.id = people.contact_id {_values(names)}
        LEFT JOIN messaging_conversation w
               ON w.contact_id = c.id AND w.connection_id = %(connection)s AND w.channel = 'whatsapp'
        LEFT JOIN suppressed s ON s.address_hmac = c.address_hmac
        OFFSET 0
    """
    return _Facts(sql, _params(campaign, ats) | dict(people_params), list(columns), lanes)


def _params(campaign: Campaign, ats: Sequence[datetime]) -> dict[str, Any]:
    connection = campaign.connection
    return {
        "connection": connection.pk,
        "purpose": campaign.purpose,
        "retry": campaign.pk,
        "first": campaign.retry_of_id,
        "at": ats[0],
        "asks_opt_in": campaign.purpose == Purpose.MARKETING and connection.marketing_needs_opt_in,
        "blank": f"^[{_BLANK}]*$",
        "unfit": _UNFIT,
        "edges": [_window_edge(campaign, at) for at in ats],
        "caps": [at - CAP_PERIOD for at in ats],
        "late": too_late(campaign, ats[0]),
    }


def _window_edge(campaign: Campaign, at: datetime) -> datetime:
    """The latest MO time for which the window counts as closed is just before this."""
    return at + timedelta(seconds=campaign.connection.window_margin_s) - SESSION_WINDOW


def _out(lane: Lane) -> str:
    return f"COALESCE(s.{lane.channel}, false)"


def _bad(lane: Lane) -> str:
    return f"c.{lane.channel}_bad_at IS NOT NULL"


def _stop(lanes: list[Lane], *, retries: bool) -> str:
    """The first thing but the cap that stops a message whatever its lane; NULL if nothing does (policy._stopped)."""
    if not lanes:
        return f"""CASE WHEN c.erased_at IS NOT NULL THEN '{Reason.ERASED}'
                        WHEN c.msisdn IS NULL THEN '{Reason.NO_NUMBER}' ELSE '{Reason.NO_TEXT}' END"""
    reached = REACHED_SQL.format(first="%(first)s", retry="%(retry)s")
    spared = f"WHEN EXISTS (SELECT 1 {reached} AND m.contact_id = c.id) THEN '{Reason.REACHED}'" if retries else ""
    return f"""CASE
        WHEN c.erased_at IS NOT NULL THEN '{Reason.ERASED}'
        WHEN c.msisdn IS NULL THEN '{Reason.NO_NUMBER}'
        WHEN %(late)s THEN '{Reason.EXPIRED}'
        WHEN {" AND ".join(_out(lane) for lane in lanes)} THEN '{Reason.OPTED_OUT}'
        WHEN %(asks_opt_in)s AND NOT EXISTS (
            SELECT 1 FROM contacts_consentevent e WHERE e.contact_id = c.id AND e.direction = 'in'
               AND e.purpose IN ('{ALL}', '{Purpose.MARKETING}')) THEN '{Reason.NO_CONSENT}'
        WHEN {" AND ".join(_bad(lane) for lane in lanes)} THEN '{Reason.NUMBER_BAD}'
        {spared} END"""


def _capped_for(cap: int | None, times: int) -> str:
    """As long as the message that filled the cap lies within the period: one at its very beginning counts no more."""
    if not cap:
        return "0" if cap is None else str(times)
    return f"""COALESCE(width_bucket((
        SELECT m.timeline_at FROM messaging_message m WHERE m.contact_id = c.id AND m.connection_id = %(connection)s
           AND m.direction = 'mt' AND m.timeline_at > (%(caps)s::timestamptz[])[1]
           AND m.send_state IN ('sending', 'accepted', 'unknown')
        ORDER BY m.timeline_at DESC OFFSET {cap - 1} LIMIT 1
    ) - interval '1 microsecond', %(caps)s::timestamptz[]), 0)"""


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


def _shut(lane: Lane, bodies: Bodies) -> str:
    """Why a lane is shut whatever its text says, the window left out; NULL if it is not (policy._problem)."""
    unusable = (
        f"WHEN true THEN '{bodies.template_problem}'" if lane is Lane.TEMPLATE and bodies.template_problem else ""
    )
    return f"""CASE WHEN {_out(lane)} THEN '{Reason.OPTED_OUT}'
                    WHEN {_bad(lane)} THEN '{Reason.NUMBER_BAD}' {unusable} END"""


def _text_problem(lane: Lane, bodies: Bodies) -> str:
    """Why its text does not render: the problem of its first placeholder that has one."""
    names = text.placeholders(bodies.of[lane])
    return f"COALESCE({', '.join(f'v.{name}_problem' for name in names)})" if names else "NULL::text"


def _verdict(lanes: list[Lane], campaign: Campaign, at: str) -> str:
    """Lane and reason at one of the times, from a row of facts (policy.decide)."""
    problems = {lane: _problem(lane, at) for lane in lanes}
    stop = f"COALESCE(stop, CASE WHEN capped_for > {at} THEN '{Reason.CAPPED}' END)"
    hold = ""
    if Lane.SESSION in lanes and campaign.until_reply:  # only a text that renders is worth holding
        hold = f"WHEN {problems[Lane.SESSION]} = '{Reason.WINDOW_CLOSED}' AND session_text IS NULL"
    lane = " ".join(f"WHEN {problem} IS NULL THEN '{lane}'" for lane, problem in problems.items())
    reason = " ".join(f"WHEN {problem} IS NULL THEN '{SENT_BECAUSE[lane]}'" for lane, problem in problems.items())
    mendable = [f"NULLIF({problem}, '{Reason.WINDOW_CLOSED}')" for problem in problems.values()]
    first = f"COALESCE({', '.join([*mendable, problems[lanes[0]]])})" if lanes else f"'{Reason.NO_TEXT}'"
    return f"""
        CASE WHEN {stop} IS NOT NULL THEN '{Lane.SKIPPED}' {lane}
             {hold and f"{hold} THEN '{Lane.HELD}'"} ELSE '{Lane.SKIPPED}' END AS lane,
        CASE WHEN {stop} IS NOT NULL THEN {stop} {reason}
             {hold and f"{hold} THEN '{Reason.UNTIL_REPLY}'"} ELSE {first} END AS reason"""


def _problem(lane: Lane, at: str) -> str:
    """Why a lane is shut; NULL if it is open."""
    closed = f", CASE WHEN open_for <= {at} THEN '{Reason.WINDOW_CLOSED}' END" if lane is Lane.SESSION else ""
    return f"COALESCE({lane}_shut{closed}, {lane}_text)"

"""The rule is total, explained, and the 24th hour's last instant is inside."""

from datetime import UTC, datetime, time, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from messaging import policy
from messaging.policy import Facts, Lane, QuietHours, Reason, decide
from messaging.statuses import Channel

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
LUMPUR = ZoneInfo("Asia/Kuala_Lumpur")
ALL_TEXTS = {Lane.SESSION: None, Lane.TEMPLATE: None, Lane.SMS: None}

texts = st.dictionaries(
    st.sampled_from(policy.SENDING_LANES), st.sampled_from([None, "missing_variable:name", "template_not_approved"])
)
times = st.one_of(st.none(), st.timedeltas(-timedelta(days=3), timedelta(days=3)).map(NOON.__add__))
facts = st.builds(
    Facts,
    texts=texts,
    erased=st.booleans(),
    has_number=st.booleans(),
    opted_out=st.dictionaries(st.sampled_from(Channel), times.filter(bool)),
    consent_missing=st.booleans(),
    bad=st.frozensets(st.sampled_from(Channel)),
    reached=st.booleans(),
    capped=st.booleans(),
    last_mo_at=times,
    margin=st.sampled_from([timedelta(0), timedelta(seconds=60), timedelta(minutes=5)]),
    window_waived=st.booleans(),
    answers_mo_at=times,
    confirms_opt_out=st.booleans(),
    until_reply=st.booleans(),
    not_after=times,
    queued=st.booleans(),
    quiet=st.one_of(st.none(), st.builds(QuietHours, st.times(), st.times(), st.just(LUMPUR))),
)


@given(elapsed=st.timedeltas(timedelta(0), timedelta(days=3)))
@example(elapsed=timedelta(hours=24))
@example(elapsed=timedelta(hours=24) - timedelta(microseconds=1))
@example(elapsed=timedelta(hours=24) + timedelta(microseconds=1))
def test_a_session_lasts_24_hours_from_the_latest_mo(elapsed):
    assert policy.session_open(NOON, NOON + elapsed) is (elapsed <= timedelta(hours=24))


def test_the_margin_shuts_the_window_early():
    last_second = NOON + timedelta(hours=23, minutes=59)
    assert policy.session_open(NOON, last_second, timedelta(seconds=60))
    assert not policy.session_open(NOON, last_second + timedelta(microseconds=1), timedelta(seconds=60))


@given(facts=facts)
def test_every_combination_of_facts_has_one_verdict_with_a_reason(facts):
    verdict = decide(facts, NOON)
    assert verdict.lane in Lane
    assert verdict.reason
    assert verdict == decide(facts, NOON)
    assert (verdict.until is not None) == (verdict.reason == Reason.QUIET_HOURS)
    assert verdict.reason != Reason.EXPIRED or (verdict.lane is Lane.EXPIRED) == facts.queued


@given(facts=facts)
def test_nothing_ever_leaves_in_breach_of_the_rule(facts):
    verdict = decide(facts, NOON)
    if not verdict.sends:
        return
    assert facts.texts[verdict.lane] is None, "only a text that renders leaves"
    assert not facts.erased
    assert facts.has_number
    assert not facts.capped
    assert not facts.reached
    assert verdict.lane.channel not in facts.bad
    assert facts.not_after is None or facts.not_after >= NOON
    assert facts.quiet is None or facts.quiet.until(NOON) is None
    if verdict.lane is Lane.SESSION:
        is_open = policy.session_open(facts.last_mo_at, NOON, facts.margin)
        assert is_open or facts.window_waived
        assert (verdict.reason == Reason.WINDOW_OPEN) is is_open, "a waived window is never called open"
    since = facts.opted_out.get(verdict.lane.channel)
    answers_later_mo = since and facts.answers_mo_at and facts.answers_mo_at > since
    assert not since or facts.confirms_opt_out or answers_later_mo


@given(facts=facts)
def test_a_closed_window_is_the_reason_only_where_free_text_is_all_there_is(facts):
    verdict = decide(facts, NOON)
    assert verdict.reason != Reason.WINDOW_CLOSED or set(facts.texts) == {Lane.SESSION}


@given(facts=facts)
def test_an_open_lane_is_never_passed_over(facts):
    """Lanes are tried in order; a later one is taken only if the earlier ones cannot be."""
    verdict = decide(facts, NOON)
    if verdict.lane is Lane.TEMPLATE:
        session = Facts(texts={Lane.SESSION: facts.texts.get(Lane.SESSION, "no text")}, last_mo_at=facts.last_mo_at)
        blocked = Channel.WHATSAPP in facts.bad
        closed = not policy.session_open(facts.last_mo_at, NOON, facts.margin)
        assert blocked or closed or decide(session, NOON).lane is not Lane.SESSION


@pytest.mark.parametrize(
    ("given_facts", "lane", "reason"),
    [
        ({"last_mo_at": NOON - HOUR}, Lane.SESSION, Reason.WINDOW_OPEN),
        ({"window_waived": True}, Lane.SESSION, Reason.WINDOW_WAIVED),
        ({"last_mo_at": NOON - 25 * HOUR}, Lane.TEMPLATE, Reason.TEMPLATE_APPROVED),
        ({}, Lane.TEMPLATE, Reason.TEMPLATE_APPROVED),
        ({"texts": {Lane.SESSION: None, Lane.SMS: None}}, Lane.SMS, Reason.SMS_TEXT),
        ({"texts": {Lane.SESSION: None}}, Lane.SKIPPED, Reason.WINDOW_CLOSED),
        ({"texts": {Lane.SESSION: None}, "until_reply": True}, Lane.HELD, Reason.UNTIL_REPLY),
        ({"texts": {Lane.SESSION: "missing_variable:name"}, "until_reply": True}, Lane.SKIPPED, Reason.WINDOW_CLOSED),
        ({"texts": {Lane.TEMPLATE: "missing_variable:town"}}, Lane.SKIPPED, "missing_variable:town"),
        ({"texts": {Lane.SESSION: None, Lane.TEMPLATE: "unfit_variable:town"}}, Lane.SKIPPED, "unfit_variable:town"),
        ({"texts": dict.fromkeys(Lane, "missing_variable:town")}, Lane.SKIPPED, "missing_variable:town"),
        ({"texts": {}}, Lane.SKIPPED, Reason.NO_TEXT),
        ({"erased": True, "has_number": False}, Lane.SKIPPED, Reason.ERASED),
        ({"has_number": False}, Lane.SKIPPED, Reason.NO_NUMBER),
        ({"opted_out": dict.fromkeys(Channel, NOON - HOUR)}, Lane.SKIPPED, Reason.OPTED_OUT),
        ({"opted_out": {Channel.WHATSAPP: NOON - HOUR}}, Lane.SMS, Reason.SMS_TEXT),
        ({"bad": frozenset({Channel.WHATSAPP})}, Lane.SMS, Reason.SMS_TEXT),
        ({"bad": frozenset(Channel)}, Lane.SKIPPED, Reason.NUMBER_BAD),
        ({"capped": True}, Lane.SKIPPED, Reason.CAPPED),
        ({"reached": True}, Lane.SKIPPED, Reason.REACHED),
        ({"reached": True, "capped": True}, Lane.SKIPPED, Reason.REACHED),
        ({"consent_missing": True}, Lane.SKIPPED, Reason.NO_CONSENT),
        ({"not_after": NOON - HOUR}, Lane.SKIPPED, Reason.EXPIRED),
        ({"not_after": NOON - HOUR, "queued": True}, Lane.EXPIRED, Reason.EXPIRED),
        ({"not_after": NOON}, Lane.TEMPLATE, Reason.TEMPLATE_APPROVED),
    ],
)
def test_first_match_wins(given_facts, lane, reason):
    verdict = decide(Facts(**{"texts": ALL_TEXTS} | given_facts), NOON)
    assert (verdict.lane, verdict.reason) == (lane, reason)


def test_an_opt_out_stops_neither_its_confirmation_nor_an_answer_to_a_newer_message():
    out = {"opted_out": dict.fromkeys(Channel, NOON - HOUR), "last_mo_at": NOON}
    assert decide(Facts(ALL_TEXTS, confirms_opt_out=True, **out), NOON).lane is Lane.SESSION
    assert decide(Facts(ALL_TEXTS, answers_mo_at=NOON, **out), NOON).lane is Lane.SESSION
    assert decide(Facts(ALL_TEXTS, answers_mo_at=NOON - HOUR, **out), NOON).reason == Reason.OPTED_OUT


@given(start=st.times(), end=st.times(), now=st.timedeltas(timedelta(0), timedelta(days=400)).map(NOON.__add__))
def test_quiet_hours_end_at_their_end_and_only_once_a_day(start, end, now):
    quiet = QuietHours(start, end, LUMPUR)
    until = quiet.until(now)
    if until is not None:
        assert timedelta(0) < until - now <= timedelta(days=1)
        assert until.astimezone(LUMPUR).time() == end
        assert quiet.until(until) is None


def test_quiet_hours_may_span_midnight():
    night = QuietHours(time(21), time(8), LUMPUR)
    for hour, ends in product((21, 23, 0, 7), ("08:00",)):
        now = datetime(2026, 11, 23, hour, 30 if hour != 21 else 0, tzinfo=LUMPUR)
        until = night.until(now)
        assert until is not None
        assert f"{until:%H:%M}" == ends
    assert night.until(datetime(2026, 11, 23, 12, tzinfo=LUMPUR)) is None


def test_a_hold_that_would_end_past_not_after_is_expiry():
    night = QuietHours(time(0), time(23), ZoneInfo("UTC"))
    facts = Facts(ALL_TEXTS, quiet=night, not_after=NOON + HOUR)
    assert decide(facts, NOON).reason == Reason.EXPIRED

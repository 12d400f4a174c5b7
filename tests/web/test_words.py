"""Nothing of ours is shown as a code: every word of the rule and of statuses has words for a person."""

from datetime import timedelta

import pytest

from messaging.failures import ABOUT_DN, ToDo
from messaging.models import Message
from messaging.policy import Lane, Reason
from messaging.providers.codes import DnClass
from messaging.reasons import REASON_WORDS, SHORT_REASONS, SHORT_VARIABLES, VARIABLE_WORDS, reason_short, reason_words
from messaging.statuses import Status
from messaging.web.campaigns.failed import TO_DO_WORDS
from messaging.web.campaigns.figures import OUTCOME_WORDS
from messaging.web.campaigns.filters import OUTCOMES
from messaging.web.frame import words


def test_every_reason_has_a_sentence_and_a_few_words():
    assert set(REASON_WORDS) == set(SHORT_REASONS) == set(Reason)
    assert all(str(said).endswith(".") for said in REASON_WORDS.values())


@pytest.mark.parametrize("reason", [Reason.MISSING_VARIABLE, Reason.UNFIT_VARIABLE])
def test_a_reason_that_names_a_variable_says_which(reason):
    assert "“ward”" in reason_words(f"{reason}:ward")
    assert "“ward”" in reason_short(f"{reason}:ward")
    assert set(VARIABLE_WORDS) == set(SHORT_VARIABLES) == {Reason.MISSING_VARIABLE, Reason.UNFIT_VARIABLE}


def test_a_word_that_is_not_ours_is_shown_and_breaks_nothing():
    assert reason_words("solar_flare") == "solar flare"
    assert reason_words("") == ""


@pytest.mark.parametrize("status", Status)
def test_every_status_has_words(status):
    assert words.status_words(status)


@pytest.mark.parametrize("lane", Lane)
def test_every_lane_has_words(lane):
    assert words.lane_words(lane)


def test_every_outcome_that_can_be_filtered_has_words():
    assert set(OUTCOMES) == set(OUTCOME_WORDS)


def test_every_kind_of_failure_says_what_to_do():
    assert set(TO_DO_WORDS) == set(ToDo)
    assert set(ABOUT_DN) == set(DnClass) - {DnClass.OK}


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(seconds=59), "0 min"),
        (timedelta(minutes=4), "4 min"),
        (timedelta(hours=3, minutes=12), "3 h 12 min"),
        (timedelta(days=2, hours=5), "2 d 5 h"),
        (timedelta(hours=23), "23 h"),
        (timedelta(days=1, minutes=59), "1 d"),
        (timedelta(seconds=-5), "0 min"),
    ],
)
def test_a_span_is_said_in_at_most_two_units(span, said):
    assert words.duration(span) == said


def test_the_facts_of_a_decision_are_told_with_their_times():
    facts = {"rule": "x", "last_mo_at": "2026-03-03T06:02:00+00:00", "window_ends_at": "2026-03-04T06:02:00+00:00"}
    assert words.facts_words(facts) == "Last wrote Tue 3 Mar 14:02; window until Wed 4 Mar 14:02."
    assert words.facts_words(facts | {"last_mo_at": None}) == "They had never written to us."
    assert words.facts_words(None) == ""


def test_a_refusal_is_told_by_its_answer_and_a_delivery_by_its_dn():
    refused = words.code_words(Message(send_state="refused", error_code="406"))
    assert "approved template" in refused
    assert words.code_words(Message(send_state="accepted", error_code="505")) == words.dn_words("505") != ""

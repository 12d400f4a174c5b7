"""The sentence at the head of a report: whatever became of people, its parts add up to its whole."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.models import Campaign, Connection
from messaging.statuses import Sums
from messaging.web.campaigns.account import NOT_SUBMITTED, SUBMITTED, submitted_words
from messaging.web.campaigns.figures import Pace
from messaging.web.campaigns.report import head_line

FIELDS = [field.name for field in dataclasses.fields(Sums)]
MOVING = ["running", "paused", "cancelled"]
generated = st.builds(Sums, **{name: st.sampled_from([0, 1, 2, 40, 1_250]) for name in FIELDS})


def said(state: str, sums: Sums, speed: Pace | None = None) -> str:
    campaign = Campaign(state=state, connection=Connection(state=Connection.State.OK))
    return head_line(campaign, sums, speed).words


def closes(words: str, sums: Sums) -> None:
    """The first sentence's parts are its whole: everyone but the skipped."""
    first, *rest = words.split(". ", maxsplit=1)[0].rstrip(".").split(" · ")
    done, _of, whole, *_verb = first.split()
    parts = [int(part.split()[0].replace(",", "")) for part in [done, *rest]]
    assert sum(parts) == int(whole.replace(",", "")) == sums.audience - sums.skipped, words


@pytest.mark.parametrize("state", [*MOVING, "finished"])
@given(sums=generated)
def test_the_parts_add_up_in_every_state(state, sums):
    closes(said(state, sums), sums)


@given(sums=generated)
def test_a_pace_is_told_after_the_sum_and_not_in_it(sums):
    words = said("running", sums, Pace(12.0, None))
    closes(words, sums)
    assert words.endswith("12 a second.")


def test_everyone_but_the_skipped_has_a_word():
    assert {*SUBMITTED, *NOT_SUBMITTED, "skipped"} == set(FIELDS)


def test_one_who_was_refused_is_among_those_whom_a_finished_campaign_meant():
    sums = Sums(delivered=40, undelivered=4, refused=1, waiting=2, unknown=1, skipped=18)
    assert said("finished", sums) == (
        "40 of 48 delivered · 4 not delivered · 2 without a report yet · 1 unknown · 1 refused."
    )


def test_nothing_is_said_of_what_nobody_has():
    assert submitted_words(Sums(delivered=2, to_send=3)) == "2 of 5 submitted · 3 to send."

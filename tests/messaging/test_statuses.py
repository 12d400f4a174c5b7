from itertools import permutations, product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.statuses import (
    PASSING,
    STATUS_WORDS,
    DeliveryState,
    Folded,
    Notice,
    SendState,
    Status,
    bucket,
    delivery_state_of,
    fold,
    status,
    sums,
)

SENT, DELIVERED, UNDELIVERED = (DeliveryState.SENT, DeliveryState.DELIVERED, DeliveryState.UNDELIVERED)
PAIRS = list(product(SendState, DeliveryState))
NOTICES = st.lists(st.tuples(st.sampled_from([SENT, DELIVERED, UNDELIVERED, None])), max_size=6).map(
    lambda states: [Notice(state, key) for key, (state,) in enumerate(states)]
)


def fold_all(notices, literal=False):
    folded = Folded(DeliveryState.NONE, None, applied=False)
    for notice in notices:
        folded = fold(folded.state, folded.applied_key, notice, literal=literal)
    return folded.state


def last_final_else_sent(notices):
    """The provider's rule, read off the order of receipt."""
    known = [notice for notice in sorted(notices, key=lambda notice: notice.key) if notice.state]
    finals = [notice.state for notice in known if notice.state is not SENT]
    return finals[-1] if finals else SENT if known else DeliveryState.NONE


@given(NOTICES, st.randoms())
def test_the_last_final_notice_received_counts_in_whatever_order_they_are_read(notices, random):
    random.shuffle(notices)
    assert fold_all(notices) == last_final_else_sent(notices)


def test_all_orders_of_up_to_four_notices_fold_as_the_rule_says():
    for states in product([SENT, DELIVERED, UNDELIVERED], repeat=4):
        notices = [Notice(state, key) for key, state in enumerate(states)]
        for order in permutations(notices):
            assert fold_all(order) == last_final_else_sent(notices)


@given(NOTICES, st.randoms())
def test_read_literally_the_last_notice_of_any_kind_counts(notices, random):
    expected = next((notice.state for notice in reversed(notices) if notice.state), DeliveryState.NONE)
    random.shuffle(notices)
    assert fold_all(notices, literal=True) == expected


@pytest.mark.parametrize(("first", "second"), [(DELIVERED, UNDELIVERED), (UNDELIVERED, DELIVERED)])
def test_the_later_final_wins_both_ways(first, second):
    assert fold(first, 5, Notice(second, 6)) == Folded(second, 6, applied=True)
    assert fold(first, 5, Notice(second, 4)) == Folded(first, 5, applied=False)


def test_sent_after_a_final_is_history():
    assert fold(DELIVERED, 5, Notice(SENT, 9)) == Folded(DELIVERED, 5, applied=False)


def test_a_repeated_notice_changes_nothing():
    assert fold(DELIVERED, 5, Notice(DELIVERED, 5)).applied is False
    assert fold(SENT, 1, Notice(SENT, 2)).applied is False


def test_a_final_read_after_a_later_sent_still_applies():
    assert fold(SENT, 9, Notice(DELIVERED, 5)) == Folded(DELIVERED, 5, applied=True)


def test_a_word_that_is_not_documented_changes_nothing():
    assert fold(SENT, 1, Notice(None, 2)) == Folded(SENT, 1, applied=False)


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("SENT", SENT),
        (" Delivered ", DELIVERED),
        ("UNDELIVERED", UNDELIVERED),
        ("READ", None),
        ("none", None),
        ("", None),
    ],
)
def test_the_providers_words_are_read_in_any_case(word, state):
    assert delivery_state_of(word) is state


@pytest.mark.parametrize(
    ("send_state", "delivery_state", "shown"),
    [
        ("claimed", "none", "queued"),
        ("accepted", "none", "accepted"),
        ("accepted", "sent", "sent"),
        ("accepted", "delivered", "delivered"),
        ("unknown", "none", "unknown"),
        ("unknown", "undelivered", "undelivered"),
        ("sending", "delivered", "sending"),
        ("skipped", "none", "skipped"),
    ],
)
def test_the_word_shown_comes_from_both_columns(send_state, delivery_state, shown):
    assert status(send_state, delivery_state) == shown


def test_every_pair_has_a_word_for_people_and_claimed_is_not_among_them():
    assert {status(*pair) for pair in PAIRS} == set(Status) == set(STATUS_WORDS)
    assert "claimed" not in set(Status)


def test_passing_states_are_those_that_still_change_by_themselves():
    assert {str(state) for state in PASSING} == {"planned", "queued", "claimed", "sending", "held"}


@given(st.dictionaries(st.sampled_from(PAIRS), st.integers(0, 1000)))
def test_the_sums_close(counts):
    total = sums(counts)
    by_state = {state: sum(n for (send, _), n in counts.items() if send == state) for state in SendState}
    assert total.audience == sum(counts.values())
    assert total.submitted == by_state["accepted"] + by_state["unknown"]
    assert total.submitted == total.delivered + total.undelivered + total.waiting + total.unknown
    assert total.to_send == by_state["planned"] + by_state["queued"]
    assert total.in_flight == by_state["claimed"] + by_state["sending"]
    for name in ("skipped", "held", "refused", "cancelled", "expired", "stuck"):
        assert getattr(total, name) == by_state[name]


def test_a_dn_decides_the_bucket_of_what_was_submitted():
    assert [bucket("accepted", state) for state in DeliveryState] == ["waiting", "waiting", "delivered", "undelivered"]
    assert [bucket("unknown", state) for state in DeliveryState] == ["unknown", "waiting", "delivered", "undelivered"]
    assert {bucket("refused", state) for state in DeliveryState} == {"refused"}

"""Small things that stand alone: parts, money, errands, refs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.providers.sandbox.courier import Errand, packed, unpacked
from messaging.providers.sandbox.dns import DnSettings
from messaging.providers.sandbox.parts import money, sms_parts

ABROAD = "6591234567"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a" * 160, 1),
        ("a" * 161, 2),
        ("a" * 306, 2),
        ("a" * 307, 3),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("您" * 70, 1),
        ("您" * 71, 2),
        ("您" * 134, 2),
        ("您" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
    ],
)
def test_sms_parts(text, parts):
    assert sms_parts(text, ABROAD) == parts


@given(amount=st.integers(min_value=0, max_value=10**15))
def test_money_has_four_decimals_and_loses_nothing(amount):
    shown = money(amount)
    assert len(shown.partition(".")[2]) == 4
    assert int(shown.replace(".", "")) == amount


ERRANDS = st.builds(
    Errand,
    st.integers(0, 2**45),
    st.integers(0, 2**40 - 1),
    st.integers(0, 255),
    st.integers(0, 255),
)


@given(first=ERRANDS, second=ERRANDS)
def test_errands_survive_packing_and_sort_by_due_time(first, second):
    assert unpacked(packed(first)) == first
    assert (packed(first) < packed(second)) == (first < second)


@given(share=st.floats(0, 1), seed=st.integers(-(10**6), 10**6))
def test_the_share_of_undelivered_holds_for_every_seed(share, seed):
    settings = DnSettings(undelivered_share=share, error_codes=["501", "505"], seed=seed)
    undelivered = sum(settings.fate(seq) != "000" for seq in range(1, 1001))
    assert abs(undelivered - share * 1000) <= 5

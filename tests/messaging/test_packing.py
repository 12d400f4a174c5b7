from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messaging.providers.packing import fits, pack, to_field
from messaging.statuses import Channel

CHANNELS = st.sampled_from(Channel)
MSISDNS = st.lists(st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True), max_size=60)


@given(CHANNELS, MSISDNS)
def test_packing_loses_nobody_keeps_the_order_and_never_exceeds_150_characters(channel, msisdns):
    groups = list(pack(channel, msisdns))
    assert [msisdn for group in groups for msisdn in group] == msisdns
    for group in groups:
        field = to_field(channel, group)
        assert 0 < len(field) <= 150
        assert [entry.removeprefix("whatsapp:") for entry in field.split(",")] == group
        assert {entry.startswith("whatsapp:") for entry in field.split(",")} == {channel is Channel.WHATSAPP}


@given(CHANNELS, MSISDNS)
def test_no_group_could_have_taken_the_next_recipient(channel, msisdns):
    groups = list(pack(channel, msisdns))
    for group, following in pairwise(groups):
        assert following[0] in group or not fits(channel, [*group, following[0]])


@given(CHANNELS, st.lists(st.sampled_from(["60123240066", "60102200533", "6591234567"]), max_size=12))
def test_a_number_stands_in_a_request_once(channel, msisdns):
    for group in pack(channel, msisdns):
        assert len(set(group)) == len(group)


def test_eleven_digit_numbers_go_seven_to_a_whatsapp_request_and_twelve_to_an_sms_request():
    msisdns = [str(60123240000 + n) for n in range(84)]
    assert {len(group) for group in pack(Channel.WHATSAPP, msisdns)} == {7}
    assert {len(group) for group in pack(Channel.SMS, msisdns)} == {12}


def test_anything_that_has_a_number_can_be_packed():
    rows = [{"id": n, "msisdn": str(60123240000 + n)} for n in range(8)]
    assert list(pack("whatsapp", rows, lambda row: row["msisdn"])) == [rows[:7], rows[7:]]


@pytest.mark.parametrize("length", [149, 150, 151])
def test_the_limit_counts_the_commas(length):
    msisdns = ["1" * 9] * 14 + ["2" * (length - 140)]
    assert len(",".join(msisdns)) == length
    assert fits("sms", msisdns) is (length <= 150)


@pytest.mark.parametrize(("last", "groups"), [("6" * 10, 1), ("6" * 11, 2)])
def test_a_group_is_filled_to_the_last_character(last, groups):
    msisdns = [str(101_000_000 + n) for n in range(14)] + [last]
    assert len(",".join(msisdns)) == 140 + len(last)
    assert len(list(pack("sms", msisdns))) == groups


@pytest.mark.parametrize("msisdn", ["", "+60123240066", "6012 3240066", "60123,60124", "whatsapp:60123240066", "٦٠١٢"])
def test_an_entry_is_digits_alone(msisdn):
    with pytest.raises(ValueError):
        to_field("sms", [msisdn])


def test_a_request_needs_a_recipient():
    assert fits("sms", []) is False
    with pytest.raises(ValueError):
        to_field("sms", [])

import random

import phonenumbers
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from contacts.numbers import BadNumber, is_clean_malaysian_mobile, parse_msisdn, sender_digits, spelled
from tests.people import spelling

AISHAH = "60123240066"


@pytest.mark.parametrize(
    "text",
    [
        "012-324 0066",
        "+60 12 324 0066",
        "60123240066",
        "0060123240066",
        "00 60 12-3240066",
        "123240066",
        "(012) 324.0066",
        "+60 (0)12-324 0066",
        "٠١٢٣٢٤٠٠٦٦",
        "+６０１２３２４００６６",
        "＋６０１２－３２４－００６６",
        "०१२ ३२४ ००६६",
        "whatsapp:+60123240066",
        "WhatsApp:60123240066",
        "tel:+60-12-324-0066",
        "'0123240066",
        "60123240066.0",
        "\u200e+60\u00a012\u2011324\u202f0066\u202c",
        "\ufeff0123240066\u200b",
        "  60123240066\r\n",
    ],
)
def test_every_spelling_becomes_one_form(text):
    assert parse_msisdn(text) == AISHAH


def test_a_thousand_spellings_of_one_number_are_one_contact():
    chance = random.Random(26)
    spellings = {spelling(AISHAH, chance) for _ in range(1_000)}
    pads = ["", " ", "\u00a0", "\u200b", "\u200e", "\t", "\u3000"]
    padded = {before + text + after for text in spellings for before in pads for after in pads}
    assert len(padded) >= 1_000
    assert {parse_msisdn(text) for text in padded} == {AISHAH}


@given(area=st.sampled_from("2379"), rest=st.integers(2_000_000, 9_999_999), seed=st.integers())
def test_a_spelling_never_changes_whose_number_it_is(area, rest, seed):
    msisdn = f"601{area}{rest}"
    assert parse_msisdn(spelling(msisdn, random.Random(seed))) == msisdn


@given(st.from_regex(r"601[0-9]{6,10}", fullmatch=True))
@example("60123240066")
@example("601112345678")
@example("60154123456")  # internet telephony
@example("60188812345")
@example("60123240066\n")
def test_the_fast_path_agrees_with_phonenumbers(digits):
    number = phonenumbers.parse(f"+{digits}")
    mobile = {phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE_OR_MOBILE}
    accepted = phonenumbers.number_type(number) in mobile and digits.isdigit()
    assert is_clean_malaysian_mobile(digits) is accepted
    assert not accepted or f"{number.country_code}{number.national_number}" == digits == parse_msisdn(digits)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "missing"),
        (" \u200b ", "missing"),
        ("whatsapp:", "missing"),
        ("tiada", "not_a_number"),
        ("+", "not_a_number"),
        ("1-800-FLOWERS", "not_a_number"),
        ("0123240066 ext 5", "not_a_number"),
        ("012-3240066, 013-3240066", "not_a_number"),
        ("=1+1", "not_a_number"),
        ("6.0123240066E+10", "shortened"),
        ("6,0123240066e+10", "shortened"),
        ("6E+10", "shortened"),
        ("012-324", "too_short"),
        ("999", "too_short"),
        ("012-3240066/013-3240066", "too_long"),
        ("9" * 5_000, "too_long"),
        ("x" * 5_000, "not_a_number"),
        ("+999 12345678", "unknown_country"),
        ("03-2164 1234", "land_line"),
        ("+60 3 2164 1234", "land_line"),
        ("60321641234", "land_line"),
        ("1300 88 1234", "not_mobile"),
        ("+44 20 7946 0958", "land_line"),
        ("0154 123 4567", "not_possible"),
        ("011-123 4567", "too_short"),  # a length that numbers of 012 have, not of 011
        ("60111234567", "too_short"),
        ("012-3456 7890", "too_long"),
        ("+65 9123 456", "too_short"),
    ],
)
def test_what_cannot_be_messaged_is_refused_in_the_users_words(text, reason):
    with pytest.raises(BadNumber) as refused:
        parse_msisdn(text)
    assert refused.value.reason_code == reason
    assert str(refused.value) == str(refused.value.words)
    assert str(refused.value).endswith(".")


@pytest.mark.parametrize("msisdn", ["6591234567", "12025550123", "447911123456", "6281234567890", "60123240066"])
def test_digits_that_we_gave_out_are_read_back(msisdn):
    assert parse_msisdn(msisdn) == parse_msisdn(f"+{msisdn}") == msisdn


def test_few_digits_are_never_taken_for_a_foreign_number():
    assert parse_msisdn("+298212345") == "298212345"
    with pytest.raises(BadNumber):
        parse_msisdn("298212345")


def test_a_number_without_country_belongs_to_the_region(settings):
    assert parse_msisdn("91234567", region="SG") == "6591234567"
    settings.PHONE_REGION = "SG"
    assert parse_msisdn("9123 4567") == "6591234567"
    assert parse_msisdn(AISHAH) == AISHAH


@given(st.text(max_size=80))
def test_any_text_is_a_number_or_refused(text):
    try:
        msisdn = parse_msisdn(text)
    except BadNumber:
        return
    assert msisdn.isascii()
    assert msisdn.isdigit()
    assert parse_msisdn(msisdn) == msisdn


@given(st.text(alphabet="0123456789 +-().", max_size=20))
@example("+298 212345")
def test_what_was_read_once_is_read_the_same_again(text):
    try:
        msisdn = parse_msisdn(text)
    except BadNumber:
        return
    assert parse_msisdn(f"+{msisdn}") == msisdn


@pytest.mark.parametrize(
    ("sender", "digits"),
    [
        ("012-324 0066", AISHAH),
        ("60321641234", "60321641234"),  # WhatsApp on a land-line
        ("03-2164 1234", "60321641234"),
        ("601999999999", "601999999999"),  # a range that our tables do not know
        ("whatsapp:+6591234567", "6591234567"),
    ],
)
def test_whoever_wrote_to_us_has_a_number(sender, digits):
    assert sender_digits(sender) == digits


@pytest.mark.parametrize("sender", ["", "63001", "Maybank", "6.0E+10", "0", "0" * 12])
def test_a_sender_without_a_number_has_none(sender):
    with pytest.raises(BadNumber):
        sender_digits(sender)


@pytest.mark.parametrize(
    ("msisdn", "read"),
    [(AISHAH, "+60 12-324 0066"), ("6591234567", "+65 9123 4567"), ("999123", "+999123")],
)
def test_a_number_is_spelled_as_its_country_does(msisdn, read):
    assert spelled(msisdn) == read

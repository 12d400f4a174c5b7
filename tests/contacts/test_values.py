import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from contacts.values import clean_fields, clean_value


@given(st.text())
def test_a_stored_value_is_trimmed_nfc_and_has_single_blanks(text):
    value = clean_value(text)
    assert value == value.strip() == unicodedata.normalize("NFC", value)
    assert not any(run in value for run in ("  ", "\t", "\n", "\r", "\u00a0", "\0"))
    assert clean_value(value) == value


def test_letters_of_every_script_and_emoji_stay_whole():
    assert clean_value(" Nur\u00a0 Ain\r\n") == "Nur Ain"
    assert clean_value("முத்து 👩🏽‍🍳 陈美玲") == "முத்து 👩🏽‍🍳 陈美玲"
    assert clean_value("Zoe\u0308") == "Zoë"


def test_what_postgresql_refuses_is_dropped():
    assert clean_value("a\0b\ud800c") == "abc"


def test_a_blank_value_is_an_absent_key():
    assert clean_fields({"shop": " Muar ", "balance": " \t", "visits": 3}) == {"shop": "Muar", "visits": "3"}

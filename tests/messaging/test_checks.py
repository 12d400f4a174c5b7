import pytest
from cryptography.fernet import Fernet

from messaging.checks import keys_are_strong

GOOD = Fernet.generate_key().decode()


def found():
    return [one.id for one in keys_are_strong()]


def test_the_keys_that_up_and_the_tests_make_are_fine():
    assert found() == []


@pytest.mark.parametrize("key", ["", " " * 40, "short", "x" * 31])
def test_a_key_of_addresses_that_is_empty_or_short_stops_the_start(settings, key):
    settings.ADDRESS_HMAC_KEY = key
    assert found() == ["messaging.E001"]


@pytest.mark.parametrize("keys", [[], [""], ["no-key"], [GOOD, "x" * 44], ["\u00e9" * 44]])
def test_stored_secrets_need_keys_that_are_keys(settings, keys):
    settings.FIELD_KEYS = keys
    assert found() == ["messaging.E002"]


def test_a_key_before_an_older_one_is_fine(settings):
    settings.FIELD_KEYS = [GOOD, Fernet.generate_key().decode()]
    assert found() == []

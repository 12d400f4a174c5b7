"""What a log line must never hold, however it got there."""

import json
import logging

import pytest
import structlog

from config.logs import mask_msisdn, mask_secrets


@pytest.mark.parametrize("key", ["app_secret", "password", "token", "text", "body", "APP_KEY", "authorization"])
def test_values_of_secret_keys_are_masked(key):
    assert mask_secrets(None, "", {key: "whatever"}) == {key: "***"}


@pytest.mark.parametrize(
    ("line", "masked"),
    [
        ("sent to 60123240066", "sent to 6012****066"),
        ("60123240066,60102200533", "6012****066,6010****533"),
        ("GET /hooks/s3cr3t-token/dn", "GET /hooks/***/dn"),
        (f"Bearer wg_live_AbC12345_{'x' * 32}_Abc123", "Bearer wg_live_AbC12345_***"),
        ("request ab60123240066cd", "request ab60123240066cd"),
        ("ref 78-1633193001.0602", "ref 78-1633193001.0602"),
    ],
)
def test_numbers_and_hook_tokens_are_masked_wherever_they_stand(line, masked):
    assert mask_secrets(None, "", {"event": line})["event"] == masked


def test_a_masked_number_can_still_be_recognised():
    assert mask_msisdn("60123240066") == "6012****066"


def test_one_record_is_one_line_of_json_whatever_it_holds(capsys):
    handler = logging.getLogger().handlers[0]
    record = logging.LogRecord("x", logging.INFO, "", 0, "line one\nline two \x1b[31m", None, None)
    line = handler.format(record)
    assert "\n" not in line
    assert "\x1b" not in line
    assert json.loads(line)["event"].startswith("line one")


def test_our_own_lines_are_json_once(caplog):
    structlog.get_logger("t").info("hello", msisdn="60123240066")
    handler = logging.getLogger().handlers[0]
    assert json.loads(handler.format(caplog.records[-1]))["msisdn"] == "6012****066"

"""What arrives instead of JSON."""

import json
from contextlib import suppress

import pytest
from django.test import Client
from hypothesis import given, settings
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError

from messaging.api import parsing

PATH = "/api/v1/lists"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "malformed_json"),
        (b"\xff\xfe{}", "not_utf8"),
        (b'{"name": "a", "name": "b"}', "duplicate_key"),
        (b'{"name": "a\\u0000"}', "nul"),
        (b'{"name": "\\ud800"}', "lone_surrogate"),
        (b'{"\\udfff": 1}', "lone_surrogate"),
        (b'{"name": NaN}', "malformed_json"),
        (b'{"name": 1e999}', "number_out_of_range"),
        (b'{"name": 9223372036854775808}', "number_out_of_range"),
        (b'{"name": ' + b"9" * 5000 + b"}", "number_out_of_range"),
        (b"[" * 21 + b"]" * 21, "too_deep"),
        (b"[" * 100_000, "too_deep"),
    ],
)
def test_bodies_that_mean_nothing_or_two_things_are_400_with_a_code(caller, body, code):
    answer = caller.http.post(
        PATH, body, content_type="application/json", headers={"Authorization": f"Bearer {caller.key}"}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/json; charset=iso-8859-1", 415),
        ('application/json; charset="UTF-8"', 201),
        ("application/json", 201),
    ],
)
def test_only_utf8_json_is_read(caller, kind, status):
    headers = {"Authorization": f"Bearer {caller.key}"}
    assert caller.http.post(PATH, b'{"name": "A"}', content_type=kind, headers=headers).status_code == status


def test_a_body_over_2_mb_is_413(caller):
    answer = caller.post("lists", {"name": "x" * parsing.MAX_BYTES})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


def test_a_body_without_its_length_is_411(caller):
    headers = {"Authorization": f"Bearer {caller.key}", "Transfer-Encoding": "chunked"}
    answer = Client().generic("POST", PATH, headers=headers, CONTENT_LENGTH="")
    assert (answer.status_code, answer.json()["code"]) == (411, "length_required")


def test_no_header_overrides_the_method(caller):
    answer = caller.get("lists", X_HTTP_Method_Override="POST")
    assert answer.status_code == 200


@pytest.mark.parametrize("path", ["lists?limit=1&limit=2", "lists?unknown=1", "lists?limit=0", "lists?limit=01"])
def test_parameters_that_are_unknown_or_stand_there_twice_are_400(caller, path):
    assert caller.get(path).status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("get", "nothing", 404, "not_found"),
        ("get", "lists/", 404, "not_found"),
        ("put", "lists", 405, "method_not_allowed"),
        ("options", "lists", 405, "method_not_allowed"),
        ("head", "lists", 405, None),
    ],
)
def test_paths_and_methods_that_are_none_are_problems_too(caller, method, path, status, code):
    answer = getattr(caller.http, method)(f"/api/v1/{path}", headers={"Authorization": f"Bearer {caller.key}"})
    assert answer.status_code == status
    assert code is None or answer.json()["code"] == code
    assert status != 405 or answer["Allow"] == "GET, POST"


def test_only_json_is_answered(caller):
    assert caller.get("lists", Accept="text/html").json()["code"] == "not_acceptable"


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63) + 1, 2**63 - 1)
    | st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=3), inner, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_every_json_value_within_bounds_is_read_as_it_is(value):
    assert parsing.load(json.dumps(value).encode()) == value


@given(st.binary(max_size=200))
@settings(max_examples=500)
def test_any_bytes_are_a_value_or_a_parse_error(body):
    with suppress(ParseError):
        parsing.load(body)


def test_a_fraction_of_nothing_is_a_whole_number():
    assert [type(number) for number in parsing.load(b"[911.0, 2e3, 0.5]")] == [int, int, float]

"""The reading of answers against a second, plainly written reading of protocol.md section 1."""

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from messaging.providers.answers import Answer, Outcome, read_answer, read_balance

PAYLOADS = Path(__file__).parents[1] / "payloads" / "bulk360-answers"
REFUSED_MESSAGE, REFUSED_CONNECTION = (400, 405, 406), (401, 402, 403, 407, 412, 413)
STATUSES = st.sampled_from(
    [200, 201, 204, 301, 302, 307, 400, 401, 402, 403, 404, 405, 406, 408, 429, 499, 500, 502, 503]
)

REFS = st.one_of(
    st.from_regex(r"[0-9]{1,3}-[0-9]{10}(\.[0-9]{1,4})?", fullmatch=True),
    st.text(max_size=70),
    st.integers(0, 10**30),
    st.sampled_from(
        [None, "", "  ", "x" * 64, "x" * 65, "x" * 300, True, [], {}, "78-1 6", "78\n1", "78-1\x00", "\ud800"]
    ),
)
CODES = st.one_of(
    st.sampled_from([200, 400, 401, 402, 403, 405, 406, 407, 412, 413, 500]),
    st.sampled_from(
        ["200", "406", " 402 ", "500", "0402", "OK", "", "x", "-402", "40\u0662", None, True, False, 402.0, [402], {}]
    ),
    st.integers(-(10**20), 10**20),
)
OBJECTS = st.fixed_dictionaries(
    {},
    optional={
        "code": CODES,
        "ref": REFS,
        "desc": st.text(max_size=20),
        "balance": st.text(max_size=8),
        "to": st.text(max_size=9),
    },
)
BODIES = st.one_of(
    OBJECTS.map(lambda fields: json.dumps(fields).encode()),
    OBJECTS.map(lambda fields: b"\xef\xbb\xbf \r\n" + json.dumps(fields, ensure_ascii=True).encode() + b"\n"),
    OBJECTS.map(lambda fields: json.dumps(fields).encode()[:-1]),
    OBJECTS.map(lambda fields: json.dumps([fields]).encode()),
    OBJECTS.map(lambda fields: json.dumps(fields).encode("utf-16")),
    OBJECTS.map(lambda fields: b"Warning: x\n" + json.dumps(fields).encode()),
    st.binary(max_size=60),
    st.sampled_from(
        [b"", b"OK", b"null", b"200", b'"78-1633193001.0602"', b"[" * 100_000, b'{"code":' + b"9" * 5000 + b"}"]
    ),
)


def reference(http_status, body, complete):
    """(outcome, scope) by the words of protocol.md, independent of the code under test in all but the JSON grammar."""
    fields = parsed(body)
    ref = fields.get("ref")
    ref = str(ref).strip() if isinstance(ref, str) or (isinstance(ref, int) and not isinstance(ref, bool)) else ""
    if ref:
        fit = len(ref) <= 64 and all(char.isprintable() and not char.isspace() for char in ref)
        return ("accepted" if fit else "unknown"), None
    code = fields.get("code")
    if isinstance(code, str):
        code = int(code) if code.strip() and set(code.strip()) <= set("0123456789") else code.strip() or None
    if isinstance(code, float):
        code = "not an integer"
    if isinstance(code, (bool, list, dict)):
        code = None
    if code in REFUSED_MESSAGE:
        return "refused", "message"
    if code in REFUSED_CONNECTION:
        return "refused", "connection"
    if code is None and complete and (http_status // 100 == 3 or http_status in (401, 403, 404, 405, 429)):
        return "not_sent", "connection"
    return "unknown", None


def parsed(body):
    try:
        fields = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return {"code": 10**9} if body.startswith(b'{"code":999') else {}
    return fields if isinstance(fields, dict) else {}


@settings(max_examples=3000)
@given(STATUSES, BODIES, st.booleans())
@example(200, b'{"code":NaN,"ref":NaN}', True)
@example(404, b'{"code":null}', True)
def test_every_answer_is_read_as_the_reference_table_says(http_status, body, complete):
    answer = read_answer(http_status, body, complete=complete)
    if b"NaN" not in body:
        assert (answer.outcome, answer.scope) == reference(http_status, body, complete)
    assert (answer.stop is not None) == (answer.scope == "connection")
    assert len(answer.ref) <= 64 and len(answer.desc) <= 300 and len(answer.currency) <= 8
    "".join((answer.ref, answer.desc, answer.currency, answer.error, str(answer.code))).encode()


@given(STATUSES, st.one_of(CODES, st.none()), st.booleans())
def test_a_ref_means_accepted_whatever_the_code(http_status, code, complete):
    body = json.dumps({"code": code, "ref": "78-1633193001.0602"}).encode()
    answer = read_answer(http_status, body, complete=complete)
    assert (answer.outcome, answer.ref) == (Outcome.ACCEPTED, "78-1633193001.0602")


@given(st.integers(1, 200), STATUSES)
def test_an_answer_cut_anywhere_is_never_taken_for_certain(size, http_status):
    whole = (PAYLOADS / "200-one-recipient-detail.json").read_bytes().rstrip()
    cut = whole[: min(size, len(whole) - 1)]
    assert read_answer(http_status, cut, complete=False).outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("path", sorted(PAYLOADS.glob("*.json")), ids=lambda path: path.stem)
def test_the_pages_own_samples_are_understood(path):
    answer = read_answer(200, path.read_bytes())
    code, printed = int(path.stem[:3]), json.loads(path.read_text())
    assert (answer.code, answer.desc) == (code, printed["desc"])
    assert answer.outcome == ("accepted" if code == 200 else "refused")
    assert answer.ref == printed.get("ref", "")
    assert answer.currency == printed.get("currency", "")
    assert answer.balance == (Decimal(printed["balance"]) if "balance" in printed else None)


@pytest.mark.parametrize(
    ("http_status", "stop"),
    [(301, "paused"), (401, "credentials"), (403, "credentials"), (404, "paused"), (405, "paused"), (429, "paused")],
)
def test_an_http_refusal_without_the_providers_json_was_not_sent_and_stops_the_connection(http_status, stop):
    answer = read_answer(http_status, b"<html>no</html>")
    assert (answer.outcome, answer.scope, answer.stop) == ("not_sent", "connection", stop)


@pytest.mark.parametrize("http_status", [200, 400, 408, 410, 499, 500, 503])
def test_any_other_http_status_without_the_providers_json_is_unknown(http_status):
    assert read_answer(http_status, b"<html>OK</html>").outcome is Outcome.UNKNOWN


@pytest.mark.parametrize(
    ("code", "stop"), [(402, "no_credit"), (401, "credentials"), (407, "suspended"), (412, "suspended")]
)
def test_a_refusal_that_concerns_the_account_says_into_which_state_it_leads(code, stop):
    assert read_answer(200, b'{"code":%d,"desc":"x"}' % code).stop == stop


def test_an_unusable_ref_is_kept_cut_short_but_accepts_nothing():
    answer = read_answer(200, json.dumps({"code": 200, "ref": "x" * 300}).encode())
    assert (answer.outcome, answer.ref, answer.error) == (Outcome.UNKNOWN, "x" * 64, "unusable ref")


def test_a_ref_printed_as_a_number_keeps_its_zeros():
    assert read_answer(200, b'{"code":200,"ref":1633193001.0600}').ref == "1633193001.0600"


def test_a_description_in_another_charset_does_not_hide_the_ref():
    assert read_answer(200, b'{"code":200,"desc":"\xe9\xff","ref":"78-1"}').outcome is Outcome.ACCEPTED


@pytest.mark.parametrize("amount", ["1,234.50", "NaN", "Infinity", "1e999", "", "9" * 13, "--1"])
def test_a_balance_that_is_no_plain_amount_is_left_out(amount):
    assert read_answer(200, json.dumps({"code": 200, "ref": "78-1", "balance": amount}).encode()).balance is None


def test_an_answer_says_nothing_more_than_it_must():
    assert read_answer(200, b'{"code":200,"ref":"78-1"}') == Answer(outcome=Outcome.ACCEPTED, code=200, ref="78-1")


@pytest.mark.parametrize(
    "body",
    [
        b'{"status":"success","description":{"currency":"MYR","balance":"187.9236"}}',
        b'{"status":"Success","currency":"MYR","balance":187.9236}',
    ],
)
def test_a_balance_is_found_in_the_description_or_at_top_level(body):
    answer = read_balance(200, body)
    assert (answer.balance, answer.currency, answer.error) == (Decimal("187.9236"), "MYR", "")


def test_a_balance_for_a_country_says_how_many_messages_it_buys():
    body = b'{"status":"success","description":{"currency":"MYR","balance":"1.0","country":"MYS","credits":12}}'
    answer = read_balance(200, body)
    assert (answer.country, answer.credits) == ("MYS", "12")


@pytest.mark.parametrize(
    ("body", "desc", "stop"),
    [
        (b'{"code":401,"desc":"Invalid Username or password"}', "Invalid Username or password", "credentials"),
        (b'{"status":"error","description":"no such user"}', "no such user", None),
        (b'{"status":"success","description":{"currency":"MYR"}}', "", None),
        (b'{"status":"failed","balance":"1.0"}', "", None),
        (b"<html>", "", None),
    ],
)
def test_anything_else_is_no_balance_and_keeps_the_providers_words(body, desc, stop):
    answer = read_balance(200, body)
    assert (answer.balance, answer.desc, answer.stop) == (None, desc, stop)
    assert answer.error


@settings(max_examples=500)
@given(
    STATUSES,
    st.one_of(
        BODIES,
        st.recursive(st.none() | st.text(max_size=5), st.lists).map(
            lambda v: json.dumps({"status": "success", "description": v}).encode()
        ),
    ),
)
def test_no_balance_answer_raises(http_status, body):
    answer = read_balance(http_status, body)
    assert (answer.balance is None) == bool(answer.error)

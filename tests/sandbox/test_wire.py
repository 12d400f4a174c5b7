"""Every wire form of public clients means the same message."""

import socket
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.twin import AMINAH, SECRET, SEND, USER, Twin

LISTED = [
    ("user", USER),
    ("pass", SECRET),
    ("to", f"whatsapp:{AMINAH}"),
    ("text", "Hello Mei Ling, your parcel is here."),
]
FORM = "Content-Type: application/x-www-form-urlencoded\r\n"


def raw(twin: Twin, request: bytes) -> str:
    """What comes back for these very bytes."""
    with socket.create_connection(("127.0.0.1", twin.port), timeout=10) as connection:
        connection.sendall(request)
        return connection.makefile("rb").read().decode()


def get(query: str) -> bytes:
    return f"GET {SEND}?{query} HTTP/1.1\r\nHost: x\r\nAccept: */*\r\nConnection: close\r\n\r\n".encode()


def post(body: str, *, query: str = "", kind: str = FORM) -> bytes:
    head = f"POST {SEND}?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{kind}"
    return f"{head}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()


def bare(pairs: list[tuple[str, str]]) -> str:
    return "&".join(f"{name}={value}" for name, value in pairs)


FORMS = {
    "GET, percent-encoded": get(urlencode(LISTED, quote_via=quote)),
    "GET, plus for blanks": get(urlencode(LISTED, quote_via=quote_plus)),
    "GET, only blanks encoded": get(bare(LISTED).replace(" ", "+")),
    "GET, not encoded at all": get(bare(LISTED)),
    "POST, urlencoded": post(urlencode(LISTED)),
    "POST, raw whatsapp: and raw text": post(bare(LISTED)),
    "POST, form type, empty body, all in the query": post("", query=urlencode(LISTED)),
    "POST, no content type": post(urlencode(LISTED), kind=""),
    "POST, half in the query": post(urlencode(LISTED[2:]), query=urlencode(LISTED[:2])),
    "POST, the body beats the query": post(urlencode(LISTED), query=urlencode([("text", "x"), ("to", "y")])),
    "POST, the last of repeated keys": post(urlencode([("text", "x"), ("user", "y"), *LISTED])),
    "POST, unknown keys and detail=0": post(urlencode([*LISTED, ("campaign", "7"), ("detail", "0")])),
    "POST, charset beside the type": post(urlencode(LISTED), kind=FORM.replace("\r\n", "; charset=UTF-8\r\n")),
    "POST, from encoded twice": post(urlencode(LISTED) + "&from=My%2520Shop"),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_sends_the_same_message(twin, form):
    answer = raw(twin, FORMS[form])
    assert '"code":200' in answer, answer
    assert [(line["msisdn"], line["text"]) for line in twin.ledger()] == [(AMINAH, LISTED[3][1])]


def test_multipart_is_read_too(twin):
    answer = twin.http.post(twin.url + SEND, files={name: (None, value) for name, value in LISTED}, timeout=10)
    assert answer.json()["code"] == 200


def test_broken_multipart_is_a_missing_parameter(twin):
    answer = raw(twin, post("nonsense", kind="Content-Type: multipart/form-data\r\n"))
    assert '"code":400' in answer


def test_json_is_not_a_form(twin):
    assert twin.http.post(twin.url + SEND, json=dict(LISTED), timeout=10).json()["code"] == 400


@pytest.mark.parametrize("to", [f"+{AMINAH}", f"%2B{AMINAH}", f"whatsapp:+{AMINAH}", f"whatsapp:%2B{AMINAH}"])
def test_a_leading_plus_is_taken_even_where_it_arrives_as_a_blank(twin, to):
    query = urlencode([*LISTED[:2], LISTED[3]]) + f"&to={to}"
    assert '"code":200' in raw(twin, get(query))
    assert twin.ledger()[0]["msisdn"] == AMINAH


def test_to_is_echoed_as_given(twin):
    assert twin.send(to=f"+{AMINAH}, 60102200533", text="Good day")["to"] == f"+{AMINAH}, 60102200533"


def test_raw_utf8_in_a_query_is_understood(twin):
    assert '"code":200' in raw(twin, get(f"user={USER}&pass={SECRET}&to={AMINAH}&text=您好"))
    assert twin.ledger()[0]["text"] == "您好"


ENCODERS = {
    "query": lambda form: get(urlencode(form)),
    "percent": lambda form: get(urlencode(form, quote_via=quote)),
    "body": lambda form: post(urlencode(form)),
    "empty body": lambda form: post("", query=urlencode(form)),
}


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=80),
    form=st.sampled_from(list(ENCODERS)),
)
def test_any_text_arrives_unchanged_in_any_form(twin, text, form):
    answer = raw(twin, ENCODERS[form]([*LISTED[:2], ("to", AMINAH), ("text", text)]))
    assert '"code":200' in answer, answer
    count = twin.state()["recipients"]
    assert twin.get("/sandbox/ledger", after=count - 1).json()["entries"][0]["text"] == text

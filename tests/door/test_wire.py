"""Byte for byte what the provider's twin answers, in every form that public clients send; the ref aside."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, quote_plus, urlencode

import pytest

from messaging.door.wire import BODY_LIMIT
from messaging.models import DoorCall, Message
from messaging.providers.answers import Outcome
from messaging.providers.bulk360 import BALANCE_PATH, SEND_PATH, Bulk360
from messaging.statuses import Channel
from tests.door.serving import REF, ask, essence
from tests.factories import make_approved_version
from tests.twin import AMINAH, APPROVED, FARID, MEI, TEMPLATE

pytestmark = pytest.mark.django_db(transaction=True)

FORM = "Content-Type: application/x-www-form-urlencoded\r\n"
MULTIPART = "Content-Type: multipart/form-data; boundary=b\r\n"
BALANCE = "1000000.0000"  # that of both connections
Pairs = list[tuple[str, str]]


def get(query: str, path: str = SEND_PATH, more: str = "Accept: */*\r\n") -> bytes:
    return f"GET {path}?{query} HTTP/1.1\r\nHost: x\r\n{more}Connection: close\r\n\r\n".encode()


def post(body: str, *, query: str = "", kind: str = FORM, path: str = SEND_PATH) -> bytes:
    head = f"POST {path}?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{kind}"
    return f"{head}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()


def chunked(body: str) -> bytes:
    head = f"POST {SEND_PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n{FORM}\r\n"
    return f"{head}{len(body.encode()):x}\r\n{body}\r\n0\r\n\r\n".encode()


def multipart(pairs: Pairs) -> bytes:
    parts = [f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in pairs]
    return post("".join(parts) + "--b--\r\n", kind=MULTIPART)


def bare(pairs: Pairs) -> str:
    return "&".join(f"{name}={value}" for name, value in pairs)


def percent(pairs: Pairs) -> str:
    return urlencode(pairs, quote_via=quote)


FORMS: dict[str, Callable[[Pairs], bytes]] = {
    "GET, percent-encoded": lambda form: get(percent(form)),
    "GET, plus for blanks": lambda form: get(urlencode(form, quote_via=quote_plus)),
    "GET, only blanks encoded": lambda form: get(bare(form).replace(" ", "+")),
    "GET, not encoded at all": lambda form: get(bare(form)),
    "GET, no headers but Host": lambda form: get(percent(form), more=""),
    "POST, urlencoded": lambda form: post(urlencode(form)),
    "POST, raw whatsapp: and raw text": lambda form: post(bare(form)),
    "POST, form type, empty body, all in the query": lambda form: post("", query=urlencode(form)),
    "POST, no content type": lambda form: post(urlencode(form), kind=""),
    "POST, half in the query": lambda form: post(urlencode(form[2:]), query=urlencode(form[:2])),
    "POST, the body beats the query": lambda form: post(urlencode(form), query="text=x&to=y"),
    "POST, the last of repeated keys": lambda form: post("text=x&user=y&" + urlencode(form)),
    "POST, unknown keys and detail=0": lambda form: post(urlencode([*form, ("campaign", "7"), ("detail", "0")])),
    "POST, detail=1": lambda form: post(urlencode([*form, ("detail", "1")])),
    "POST, charset beside the type": lambda form: post(
        urlencode(form), kind=FORM.replace("\r\n", "; charset=UTF-8\r\n")
    ),
    "POST, from encoded twice": lambda form: post(urlencode(form) + "&from=My%2520Shop"),
    "POST, chunked": lambda form: chunked(urlencode(form)),
    "POST, multipart": multipart,
    "POST, multipart, repeated keys": lambda form: multipart([("text", "x"), *form]),
    "POST, broken multipart": lambda form: post("nonsense", kind=MULTIPART.replace("; boundary=b", "")),
    "POST, JSON": lambda form: post('{"user": "x"}', kind="Content-Type: application/json\r\n"),
}


def both(twin, port, request: bytes) -> bytes:
    """Our answer's body, which is the twin's."""
    ours = ask(port, request)
    assert essence(ours) == essence(ask(twin.port, request))
    return ours.partition(b"\r\n\r\n")[2]


@pytest.fixture
def approved(twin) -> None:
    """A template that both know."""
    twin.control("templates", texts=[TEMPLATE])
    make_approved_version(TEMPLATE)


def test_each_form_is_answered_as_the_twin_answers_it(twin, account, port, approved, subtests):
    wish = account.form(to=f"whatsapp:{AMINAH}", text=APPROVED)
    for form, write in FORMS.items():
        with subtests.test(form):
            before = Message.objects.count()
            twin.control("balance", user=account.app_key, balance=BALANCE)
            taken = b'"code":200' in both(twin, port, write(list(wish.items())))
            sent = [(str(message.contact.msisdn), message.body) for message in Message.objects.order_by("pk")[before:]]
            assert taken is (form not in ("POST, broken multipart", "POST, JSON"))
            assert sent == ([(AMINAH, APPROVED)] if taken else [])


CASES: dict[str, dict[str, str | None]] = {
    "no user": {"user": None},
    "no pass": {"pass": None},
    "no to": {"to": None},
    "no text": {"text": None},
    "an empty text": {"text": ""},
    "an empty to": {"to": ""},
    "a to of 151 characters": {"to": ",".join([AMINAH] * 13)[:151]},
    "a to that is no number": {"to": "aminah"},
    "a to with a number missing": {"to": f"{AMINAH},,{FARID}"},
    "an SMS": {},
    "two SMS": {"to": f"{AMINAH}, {FARID}"},
    "a plus": {"to": f"+{AMINAH}"},
    "a WhatsApp prefix in capitals": {"to": f"WHATSAPP:+{AMINAH}", "text": APPROVED},
    "12 recipients": {"to": ",".join(f"6012324{place:04}" for place in range(12))},
    "three WhatsApp recipients": {"to": ",".join(f"whatsapp:{one}" for one in (AMINAH, FARID, MEI)), "text": APPROVED},
    "the same person twice": {"to": f"{AMINAH},{AMINAH}"},
    "both services": {"to": f"{AMINAH},whatsapp:{FARID}"},
    "both services and a wrong secret": {"to": f"{AMINAH},whatsapp:{FARID}", "pass": "wrong"},
    "a wrong secret": {"pass": "wrong"},
    "an unknown key": {"user": "nobody"},
    "a key with a blank and a quote": {"user": "o'brien \x00"},
    "a wrong secret and no number": {"pass": "wrong", "to": "x"},
    "WhatsApp text that nobody approved": {"to": f"whatsapp:{AMINAH}", "text": "Have a nice day"},
    "one of two texts nobody may get": {"to": f"whatsapp:{AMINAH},whatsapp:{FARID}", "text": "Have a nice day"},
    "Malay, Chinese, Tamil and an emoji": {"text": "Terima kasih 您好 வணக்கம் 🙂\nnext line"},
    "detail": {"detail": "1"},
    "detail that says no": {"detail": "0"},
    "detail that says true": {"detail": "true"},
}


def test_each_case_is_answered_as_the_twin_answers_it(twin, account, port, approved, subtests):
    for case, fields in CASES.items():
        with subtests.test(case):
            given = account.form(to=AMINAH, text="Good day") | fields
            twin.control("balance", user=account.app_key, balance=BALANCE)
            both(twin, port, post(urlencode({name: value for name, value in given.items() if value is not None})))


def test_a_leading_plus_is_taken_even_where_it_arrives_as_a_blank(twin, account, port, approved):
    for to in (f"+{AMINAH}", f"%2B{AMINAH}", f"whatsapp:+{AMINAH}", f"whatsapp:%2B{AMINAH}"):
        assert b'"code":200' in both(twin, port, get(f"{urlencode(account.form(text=APPROVED))}&to={to}"))
    assert set(Message.objects.values_list("contact__msisdn", flat=True)) == {AMINAH}


def test_raw_utf8_in_a_query_is_understood(twin, account, port):
    both(twin, port, get(f"{urlencode(account.form(to=AMINAH))}&text=您好 வணக்கம்"))
    assert Message.objects.get().body == "您好 வணக்கம்"


def test_bytes_that_are_no_utf8_become_signs_of_replacement(account, port):
    for text in (b"\xff", b"%ff"):
        request = get(f"{urlencode(account.form(to=AMINAH))}&text=@").replace(b"@", text)
        assert b'"code":200' in ask(port, request)
    assert set(Message.objects.values_list("body", flat=True)) == {"\ufffd"}


def test_the_balance_is_told_as_the_twin_tells_it(twin, account, port, subtests):
    differently = [{}, {"country": "MYS"}, {"country": "my"}, {"country": "65"}, {"user": ""}, {"pass": "wrong"}]
    for given in [*differently, {"user": "nobody"}]:
        for write in (get, post):
            with subtests.test(str(given), method=write.__name__):
                both(twin, port, write(urlencode(account.form() | given), path=BALANCE_PATH))


def test_an_account_that_may_not_send_is_told_so_in_the_same_words(twin, account, connection, port):
    for theirs, ours, code in (("disabled", "credentials", b"403"), ("suspended", "suspended", b"412")):
        twin.control("accounts", user=account.app_key, state=theirs, **{"pass": account.app_secret})
        connection.state = ours
        connection.save()
        assert code in both(twin, port, post(urlencode(account.form(to=AMINAH, text="Good day"))))


def test_an_empty_account_is_told_so_in_the_same_words(twin, account, connection, port):
    twin.control("balance", user=account.app_key, balance="0.0000")
    connection.state = "no_credit"
    connection.save()
    assert b'"code":402' in both(twin, port, post(urlencode(account.form(to=AMINAH, text="Good day"))))
    assert not Message.objects.exists()


def test_a_ref_has_the_provider_s_shape_and_the_call_is_kept_under_it(account, port):
    answer = ask(port, post(urlencode(account.form(to=AMINAH, text="Good day"))))
    ref = REF.search(answer)[1].decode()
    assert re.fullmatch(r"[0-9]{1,5}-[0-9]{10}\.[0-9]{4}", ref)
    assert DoorCall.objects.get(ref=ref).to == AMINAH


def test_the_provider_s_own_client_works_against_the_door(account, port):
    make_approved_version(TEMPLATE)
    client = Bulk360(f"http://127.0.0.1:{port}", SEND_PATH, BALANCE_PATH, account.app_key, account.app_secret)
    sent = client.send([AMINAH, FARID], APPROVED, Channel.WHATSAPP)
    assert (sent.outcome, sent.code, str(sent.balance)) == (Outcome.ACCEPTED, 200, BALANCE)
    assert DoorCall.objects.get(ref=sent.ref).recipients.count() == 2
    refused = client.send([AMINAH], "Something else", Channel.WHATSAPP)
    assert (refused.outcome, refused.code) == (Outcome.REFUSED, 406)
    assert client.balance().ok


def test_a_body_that_is_too_much_is_a_malformed_request(account, port):
    assert b'"code":400' in ask(port, post(urlencode(account.form(to=AMINAH, text="x" * BODY_LIMIT))))
    many = "&".join(f"a{place}=1" for place in range(2_000))
    assert b'"code":400' in ask(port, post(f"{urlencode(account.form(to=AMINAH, text='x'))}&{many}"))


def test_nothing_is_ever_redirected_and_no_cookie_is_set(account, port):
    """On a server that sends everybody else to https."""
    assert ask(port, get("", path="/accounts/login/").replace(b"Host: x", b"Host: localhost")).startswith(
        b"HTTP/1.1 301"
    )
    answer = ask(port, post(urlencode(account.form(to=AMINAH, text="x"))))
    assert answer.startswith(b"HTTP/1.1 200")
    assert b"set-cookie" not in answer.lower()


def test_other_methods_are_not_for_this_door(port):
    for method in ("PUT", "DELETE", "OPTIONS", "HEAD"):
        request = f"{method} {SEND_PATH} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        assert ask(port, request.encode()).startswith(b"HTTP/1.1 405")

from __future__ import annotations

import io
import random
from datetime import timedelta

import pytest
from django.test import Client, RequestFactory, override_settings
from django.utils import timezone

from config.bodies import read_head
from messaging.models import HookToken, InboundRaw
from tests.factories import make_connection, make_hook_token

pytestmark = pytest.mark.django_db


@pytest.fixture
def token(connection):
    return make_hook_token(connection)


def test_a_call_is_kept_as_it_came_and_answered_ok(client, connection, token):
    answer = client.generic(
        "POST",
        f"/hooks/{token}/dn?a=%zz&b",
        b"\x00\xff status=SENT",
        content_type="application/x-www-form-urlencoded; charset=gbk",
        REMOTE_ADDR="203.0.113.9",
    )
    assert (answer.status_code, answer.content) == (200, b"OK")
    assert answer["Content-Type"].startswith("text/plain")
    raw = InboundRaw.objects.get()
    assert (raw.connection, raw.kind, raw.method, bytes(raw.query)) == (connection, "dn", "POST", b"a=%zz&b")
    assert bytes(raw.body) == b"\x00\xff status=SENT"
    assert (raw.content_type, raw.peer) == ("application/x-www-form-urlencoded; charset=gbk", "203.0.113.9")
    assert not raw.truncated
    assert raw.digested_at is None


@pytest.mark.parametrize("kind", ["dn", "mo"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_both_hooks_take_both_methods(client, token, kind, method):
    assert getattr(client, method)(f"/hooks/{token}/{kind}", {"status": "SENT"}).status_code == 200
    assert InboundRaw.objects.get().kind == kind


def test_a_wrong_token_a_revoked_one_and_a_wrong_address_get_one_and_the_same_404(client, connection):
    revoked = make_hook_token(connection)
    HookToken.objects.filter(pk=HookToken.objects.latest("pk").pk).update(revoked_at=timezone.now())
    fenced = make_connection(allowed_peers=["198.51.100.0/24"])
    paths = [
        f"/hooks/{revoked}/dn",
        "/hooks/nobody-knows-me/dn",
        f"/hooks/{make_hook_token(fenced)}/mo",
    ]
    answers = [client.post(path, b"x", content_type="text/plain") for path in paths]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    assert len({tuple(sorted(answer.items())) for answer in answers}) == 1
    assert not InboundRaw.objects.exists()


def test_what_is_no_hook_is_not_there(client, token):
    paths = [f"/hooks/{token}/else", f"/hooks/{token}/dn/", f"/hooks/{token}", "/hooks/", f"/hooks//{token}/dn"]
    assert {client.post(path).status_code for path in paths} == {404}


def test_only_the_addresses_of_the_connection_may_call(client):
    fenced = make_connection(allowed_peers=["198.51.100.0/24", "2001:db8::/32", "192.0.2.7"])
    path = f"/hooks/{make_hook_token(fenced)}/mo"
    allowed = ["198.51.100.200", "2001:db8::1", "192.0.2.7", "::ffff:198.51.100.1"]
    refused = ["198.51.101.1", "192.0.2.8", "2001:db9::1", "", "unix:"]
    assert [client.post(path, REMOTE_ADDR=peer).status_code for peer in allowed] == [200] * 4
    assert [client.post(path, REMOTE_ADDR=peer).status_code for peer in refused] == [404] * 5


def test_a_forwarded_address_opens_nothing_unless_a_trusted_proxy_says_it(client):
    path = f"/hooks/{make_hook_token(make_connection(allowed_peers=['198.51.100.0/24']))}/mo"
    forged = {"REMOTE_ADDR": "203.0.113.9", "HTTP_X_FORWARDED_FOR": "198.51.100.1"}
    assert client.post(path, **forged).status_code == 404
    with override_settings(TRUSTED_PROXIES=["203.0.113.0/24"]):
        assert client.post(path, **forged).status_code == 200
        assert client.post(path, **forged | {"HTTP_X_FORWARDED_FOR": "198.51.100.1, 9.9.9.9"}).status_code == 404


@pytest.mark.parametrize(("kind", "limit"), [("dn", 64 * 1024), ("mo", 10 * 1024 * 1024)])
def test_of_a_long_body_the_head_is_kept_and_flagged(client, token, kind, limit):
    for size, truncated in [(limit, False), (limit + 1, True)]:
        client.generic("POST", f"/hooks/{token}/{kind}", b"x" * size, content_type="text/plain")
        raw = InboundRaw.objects.latest("pk")
        assert (len(raw.body), raw.truncated) == (limit, truncated)


def test_a_chunked_body_is_read_though_it_has_no_length(client, token):
    """A server that knows where a body ends says so (gunicorn does)."""
    body = b"status=SENT&" * 10
    chunked = {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    assert client.generic("POST", f"/hooks/{token}/dn", b"", **chunked).status_code == 200
    assert bytes(InboundRaw.objects.get().body) == body


def test_a_body_that_breaks_off_is_kept_as_far_as_it_came():
    class Broken(io.BytesIO):
        def read(self, size: int = -1) -> bytes:
            if block := super().read(5):
                return block
            raise RuntimeError("chunk without an end")

    request = RequestFactory().post("/")
    request.META |= {"wsgi.input": Broken(b"status=SE"), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    assert read_head(request, 100) == (b"status=SE", True)


@pytest.mark.parametrize("accept", ["application/xml", "*/*;q=oops", "text/html", "", "\x00"])
@pytest.mark.parametrize(
    "content_type", ["", "application/json", "multipart/form-data", "a/b; charset=no-such", "///", "é"]
)
def test_no_header_keeps_a_call_out(client, token, accept, content_type):
    answer = client.generic("POST", f"/hooks/{token}/dn", b"{", content_type=content_type, HTTP_ACCEPT=accept)
    assert (answer.status_code, answer.content) == (200, b"OK")


def test_a_thousand_broken_calls_are_all_kept(client, token):
    """R-style fuzz through the whole of HTTP: nothing that comes with the right token is refused, nothing is a 5xx."""
    chance = random.Random(20)
    seeds = [
        b'{"status" : SENT, "error-code" : 20, "msisdn" : 60123240066, "msgid" : "78-1633193001.0602-0" # 0 refers\n}',
        b"status=DELIVERED&error-code=000&msisdn=60123240066&msgid=78-1.2-0",
        b'--b\r\nContent-Disposition: form-data; name="status"\r\n\r\nSENT\r\n--b--\r\n',
        "from=whatsapp:+60123240066&text=你好 வணக்கம்".encode(),
        b"[" * 3_000,
        b'{"n": 1e999, "m": ' + b"9" * 5_000 + b"}",
        "\ud800".encode("utf-8", "surrogatepass"),
        b"%" * 500 + b"\x00" * 20,
    ]
    types = [
        "application/json",
        "text/plain",
        "multipart/form-data; boundary=b",
        "application/x-www-form-urlencoded",
        "",
    ]
    sent = []
    for _ in range(1_000):
        body = bytearray(chance.choice(seeds))
        for _mutation in range(chance.randint(0, 8)):
            place = chance.randrange(len(body) + 1)
            body[place : place + chance.randint(0, 3)] = chance.randbytes(chance.randint(0, 4))
        answer = client.generic(
            chance.choice(["GET", "POST"]),
            f"/hooks/{token}/{chance.choice(['dn', 'mo'])}",
            bytes(body),
            content_type=chance.choice(types),
            QUERY_STRING=chance.choice(["", "a=%F", "status=\x00&" * 5, "\xff=\xfe"]),
        )
        assert answer.status_code == 200
        sent.append(bytes(body))
    assert sorted(bytes(raw.body) for raw in InboundRaw.objects.only("body")) == sorted(sent)


def test_a_caller_who_hangs_up_is_kept_as_far_as_they_got():
    request = RequestFactory().post("/", b"status=SE", content_type="text/plain")
    request.META["CONTENT_LENGTH"] = "50"
    assert read_head(request, 100) == (b"status=SE", True)


def test_other_methods_are_refused_whatever_the_token(client, token):
    for path in (f"/hooks/{token}/dn", "/hooks/nobody/dn"):
        assert {client.generic(method, path).status_code for method in ("PUT", "DELETE", "PATCH", "OPTIONS")} == {405}
    assert not InboundRaw.objects.exists()


def test_a_call_costs_one_statement(client, token, django_assert_num_queries):
    with django_assert_num_queries(1):
        client.post(f"/hooks/{token}/dn", {"status": "SENT"})


def test_the_door_needs_no_session_no_csrf_token_and_no_host(token):
    answer = Client(enforce_csrf_checks=True).post(f"/hooks/{token}/dn", HTTP_HOST="anything.example", secure=False)
    assert answer.status_code == 200
    assert not answer.cookies
    assert timezone.now() - InboundRaw.objects.get().received_at < timedelta(minutes=1)

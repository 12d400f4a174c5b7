"""The client against a server that misbehaves on purpose, over real sockets."""

import gzip
import json
import logging
import os
import socket
import threading
import time
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest

from messaging.providers import tracing
from messaging.providers.bulk360 import BALANCE_PATH, SEND_PATH, Bulk360
from messaging.statuses import Channel
from tests.messaging.misbehaving import self_signed, serving

KEY, SECRET = "7LrdwRb1Ya", "aAjc9I7mW5eGzxwYs"
TO = ["60123240066", "60102200533"]
OK = json.dumps(
    {"code": 200, "desc": "OK", "ref": "78-1633193001.0602", "currency": "MYR", "balance": "187.9236"}
).encode()


def client(url, **options):
    return Bulk360(url, SEND_PATH, BALANCE_PATH, KEY, SECRET, **{"connect_timeout_s": 2, "deadline_s": 5, **options})


def send(url, text="Hai", **options):
    return client(url, **options).send(TO, text, Channel.WHATSAPP)


def accept(visit):
    visit.read_request()
    visit.answer(OK)


def accept_forever(visit):
    while True:
        accept(visit)


def form_of(request):
    return parse_qsl(request.split(b"\r\n\r\n", 1)[1].decode(), strict_parsing=True)


def answering(body, status="200 OK", *headers):
    def behave(visit):
        visit.read_request()
        visit.answer(body, status, *headers)

    return behave


def test_a_whatsapp_send_posts_one_form_and_brings_its_ref():
    with serving(accept) as server:
        sent = client(server.url + "/").send(TO, "Hai & 你好\n100% a+b", Channel.WHATSAPP, sender_id="SHOP")
    assert (sent.outcome, sent.ref, sent.code, sent.http_status) == ("accepted", "78-1633193001.0602", 200, 200)
    assert (sent.currency, sent.balance, sent.error, sent.refusal_scope) == ("MYR", Decimal("187.9236"), "", None)
    assert 0 < sent.elapsed_s < 2
    assert server.received.startswith(b"POST /gw/bulk360/v3_0/send.php HTTP/1.1\r\n")
    assert b"Accept-Encoding: identity\r\n" in server.received and server.received.count(b"Accept-Encoding") == 1
    assert form_of(server.received) == [
        ("user", KEY),
        ("pass", SECRET),
        ("to", "whatsapp:60123240066,whatsapp:60102200533"),
        ("text", "Hai & 你好\n100% a+b"),
        ("detail", "1"),
    ]


def test_an_sms_carries_bare_numbers_and_the_sender_id():
    with serving(accept) as server:
        client(server.url).send(TO, "Hai", "sms", sender_id="SHOP")
    form = dict(form_of(server.received))
    assert (form["to"], form["from"], form["detail"]) == ("60123240066,60102200533", "SHOP", "1")


def test_recipients_that_do_not_fit_are_the_callers_mistake_and_nothing_is_opened():
    with serving(accept) as server, pytest.raises(ValueError):
        client(server.url).send(["60123240066"] * 8, "Hai", Channel.WHATSAPP)
    assert server.visits == []


def test_a_text_that_no_request_can_hold_is_refused_without_repeating_it():
    with serving(accept) as server, pytest.raises(ValueError) as mistake:
        send(server.url, "private\ud800")
    assert server.visits == [] and mistake.value.__suppress_context__
    assert "private" not in repr(mistake.value)


# Certainly not sent


def test_a_refused_connection_is_not_sent():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    sent = send(f"http://127.0.0.1:{port}")
    assert (sent.outcome, sent.refusal_scope, sent.http_status, sent.error) == (
        "not_sent",
        None,
        None,
        "ConnectionError",
    )


@pytest.mark.parametrize(
    "url", ["http://host.invalid", "http://", "nonsense", "ftp://127.0.0.1", "http://127.0.0.1:99999"]
)
def test_an_address_that_leads_nowhere_is_not_sent(url):
    assert send(url).outcome == "not_sent"


def test_a_server_that_never_takes_the_connection_is_not_sent_after_the_connect_timeout():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(("127.0.0.1", port))
        sent = send(f"http://127.0.0.1:{port}", connect_timeout_s=0.5)
        for sock in waiting:
            sock.close()
    assert (sent.outcome, sent.error) == ("not_sent", "ConnectTimeout")
    assert sent.elapsed_s < 2


def test_a_certificate_nobody_vouches_for_gets_no_credentials(tmp_path):
    context, _certificate = self_signed(tmp_path)
    with serving(accept, tls=context) as server:
        sent = send(server.url)
    assert (sent.outcome, sent.error) == ("not_sent", "SSLError")
    assert server.received == b""


def test_a_vouched_for_certificate_is_accepted(tmp_path):
    context, certificate = self_signed(tmp_path)
    with serving(accept_forever, tls=context) as server:
        assert [send(server.url, verify=str(certificate)).outcome for _ in range(3)] == ["accepted"] * 3
    assert len(server.visits) == 1


def test_plain_http_behind_an_https_address_is_not_sent():
    with serving(answering(OK)) as server:
        assert send(server.url.replace("http:", "https:")).outcome == "not_sent"


def test_a_tls_handshake_that_drips_is_cut_at_the_deadline():
    with serving(lambda visit: visit.drip(b"\x16\x03\x03\x40\x00" + b"\x02" * 500, 0.1)) as server:
        sent = send(server.url.replace("http:", "https:"), deadline_s=1)
    assert sent.outcome == "not_sent"
    assert 0.9 < sent.elapsed_s < 2


def test_the_first_byte_leaves_in_time_or_never():
    with serving(accept) as server:
        late = client(server.url).send(TO, "Hai", Channel.WHATSAPP, not_after_monotonic=time.monotonic() - 0.001)
        timely = client(server.url).send(TO, "Hai", Channel.WHATSAPP, not_after_monotonic=time.monotonic() + 5)
    assert (late.outcome, late.error) == ("not_sent", "too late for the first byte")
    assert timely.outcome == "accepted"
    assert server.received.count(b"POST") == 1


# Anything may have happened


def closing_after(size):
    def behave(visit):
        if size:
            visit.read(size)

    return behave


def resetting_after(size):
    def behave(visit):
        if size:
            visit.read(size)
        visit.reset()

    return behave


def request_size():
    with serving(accept) as server:
        send(server.url)
    return len(server.received)


@pytest.mark.parametrize("ending", [closing_after, resetting_after])
@pytest.mark.parametrize("share", ["one", "all but one", "all"])
def test_a_connection_that_ends_once_we_have_begun_to_write_is_unknown(ending, share):
    whole = request_size()
    size = {"one": 1, "all but one": whole - 1, "all": whole}[share]
    with serving(ending(size)) as server:
        sent = send(server.url)
    assert (sent.outcome, sent.ref, sent.refusal_scope) == ("unknown", "", None)
    assert sent.error
    assert len(server.visits) == 1


@pytest.mark.parametrize("ending", [closing_after, resetting_after])
def test_a_connection_that_ends_before_a_byte_was_read_is_never_more_than_unknown(ending):
    with serving(ending(0)) as server:
        outcomes = {send(server.url).outcome for _ in range(10)}
    assert outcomes <= {"unknown", "not_sent"}  # a reset may overtake our own connect, which is certain
    assert server.received == b""


def cut_answer(size):
    def behave(visit):
        visit.read_request()
        visit.sock.sendall((b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(OK) + OK)[:size])

    return behave


@pytest.mark.parametrize("size", [0, 1, 20, 45, 60, -1])
def test_an_answer_cut_anywhere_is_unknown(size):
    with serving(cut_answer(size)) as server:
        assert send(server.url).outcome == "unknown"
    assert len(server.visits) == 1


def test_an_answer_may_take_longer_than_a_connection():
    with serving(lambda visit: (visit.read_request(), time.sleep(1), visit.answer(OK))) as server:
        sent = send(server.url, connect_timeout_s=0.3)
    assert (sent.outcome, sent.error) == ("accepted", "")


def test_a_server_that_never_answers_is_unknown_at_the_deadline():
    with serving(lambda visit: (visit.read_request(), time.sleep(8))) as server:
        sent = send(server.url, deadline_s=1)
    assert sent.outcome == "unknown"
    assert 0.9 < sent.elapsed_s < 2


@pytest.mark.parametrize("close", [False, True], ids=["kept alive", "connection: close"])
def test_an_answer_that_drips_is_cut_at_the_deadline(close):
    def behave(visit):
        visit.read_request()
        header = b"Connection: close\r\n" if close else b""
        visit.sock.sendall(b"HTTP/1.1 200 OK\r\n" + header + b"Content-Length: 500\r\n\r\n")
        visit.drip(OK + b" " * 500, 0.2)

    with serving(behave) as server:
        sent = send(server.url, deadline_s=1)
    assert (sent.outcome, sent.error) == ("unknown", "deadline passed")
    assert 0.9 < sent.elapsed_s < 2


def test_a_kept_alive_connection_is_cut_at_the_deadline_too():
    def behave(visit):
        accept(visit)
        visit.read_request()
        visit.drip(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 100, 0.05)

    with serving(behave) as server:
        first, second = send(server.url, deadline_s=1), send(server.url, deadline_s=1)
    assert (first.outcome, second.outcome, len(server.visits)) == ("accepted", "unknown", 1)
    assert 0.9 < second.elapsed_s < 2


def test_an_http_refusal_whose_body_never_ends_may_still_have_been_the_providers_json():
    def behave(visit):
        visit.read_request()
        visit.sock.sendall(b"HTTP/1.1 404 Not Found\r\n\r\n")
        visit.drip(b" " * 500, 0.2)

    with serving(behave) as server:
        assert send(server.url, deadline_s=1).outcome == "unknown"


def test_headers_that_drip_are_cut_at_the_deadline():
    def behave(visit):
        visit.read_request()
        visit.drip(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 100, 0.05)

    with serving(behave) as server:
        sent = send(server.url, deadline_s=1)
    assert sent.outcome == "unknown" and 0.9 < sent.elapsed_s < 2


def test_a_ref_that_arrived_before_the_deadline_counts_though_the_answer_never_ends():
    def behave(visit):
        visit.read_request()
        visit.sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + OK)
        visit.drip(b" " * 500, 0.2)

    with serving(behave) as server:
        sent = send(server.url, deadline_s=1)
    assert (sent.outcome, sent.ref, sent.error) == ("accepted", "78-1633193001.0602", "deadline passed")


def test_a_cut_connection_is_not_used_again():
    def stall(visit):
        visit.read_request()
        time.sleep(3)

    with serving(stall, accept) as server:
        assert [send(server.url, deadline_s=0.5).outcome for _ in range(2)] == ["unknown", "accepted"]
    assert len(server.visits) == 2


def test_requests_in_other_threads_are_not_cut_with_one_that_is_late():
    def behave(visit):
        visit.read_request()
        time.sleep(1.5)
        visit.answer(OK)

    with serving(behave) as server:
        outcomes = {}
        deadlines = (0.5, 4, 4, 4)
        threads = [
            threading.Thread(target=lambda n=n, d=d: outcomes.update({n: send(server.url, deadline_s=d).outcome}))
            for n, d in enumerate(deadlines)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert outcomes == {0: "unknown", 1: "accepted", 2: "accepted", 3: "accepted"}


def test_ten_megabytes_are_not_read():
    def behave(visit):
        visit.read_request()
        visit.answer(b'{"pad":"' + b"x" * 10_000_000)

    with serving(behave) as server:
        sent = send(server.url)
    assert (sent.outcome, sent.http_status) == ("unknown", 200)
    assert sent.elapsed_s < 3


@pytest.mark.parametrize(("size", "outcome"), [(65_536, "accepted"), (65_537, "unknown")])
def test_an_answer_is_read_up_to_64_kilobytes(size, outcome):
    frame = b'{"pad":"%b","ref":"78-1"}'
    with serving(answering(frame % (b"x" * (size - len(frame % b""))))) as server:
        assert send(server.url).outcome == outcome


def test_a_compressed_answer_is_never_unpacked():
    for plain in (b"0" * 50_000_000, OK):
        with serving(answering(gzip.compress(plain), "200 OK", "Content-Encoding: gzip")) as server:
            sent = send(server.url)
        assert sent.outcome == "unknown" and sent.elapsed_s < 2


@pytest.mark.parametrize("status", ["500 Oops", "502 Bad Gateway", "503 Busy", "504 Late", "408 Late", "499 Gone"])
def test_server_trouble_is_unknown_and_not_repeated(status):
    with serving(answering(b"<h1>Oops</h1>", status)) as server:
        sent = send(server.url)
    assert (sent.outcome, sent.http_status) == ("unknown", int(status[:3]))
    assert server.received.count(b"POST") == 1


@pytest.mark.parametrize("garbage", [b"SSH-2.0-x\r\n\r\n", b"\x00" * 100, b"HTTP/1.1 abc\r\n\r\n", b"X" * 200_000])
def test_what_is_not_http_at_all_is_unknown(garbage):
    def behave(visit):
        visit.read_request()
        visit.sock.sendall(garbage)

    with serving(behave) as server:
        assert send(server.url).outcome == "unknown"


def test_a_chunked_answer_is_read_whole():
    def behave(visit):
        visit.read_request()
        chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (OK[:10], OK[10:]))
        visit.sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n")

    with serving(behave) as server:
        assert send(server.url).outcome == "accepted"


# Refusals, redirects, cookies


@pytest.mark.parametrize("status", ["200 OK", "401 Unauthorized", "500 Oops"])
def test_the_providers_json_decides_whatever_the_http_status(status):
    with serving(answering(b'{"code":406,"desc":"Message content is not approved"}', status)) as server:
        sent = send(server.url)
    assert (sent.outcome, sent.refusal_scope, sent.code, sent.stop) == ("refused", "message", 406, None)


def test_an_account_refusal_names_the_connections_new_state():
    with serving(answering(b'{"code":402,"desc":"Insufficient Account credit"}')) as server:
        sent = send(server.url)
    assert (sent.outcome, sent.refusal_scope, sent.stop) == ("refused", "connection", "no_credit")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary", "308 Permanent"])
def test_credentials_do_not_follow_a_redirect(status):
    with (
        serving(accept) as elsewhere,
        serving(answering(b"", status, f"Location: {elsewhere.url}/gw/bulk360/v3_0/send.php")) as server,
    ):
        sent = send(server.url)
    assert (sent.outcome, sent.refusal_scope, sent.stop) == ("not_sent", "connection", "paused")
    assert elsewhere.visits == []


def test_credentials_do_not_pass_a_proxy_of_the_environment(monkeypatch):
    with serving(accept) as proxy, serving(accept) as server:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv("no_proxy", "")
        assert send(server.url).outcome == "accepted"
    assert proxy.visits == []


def test_a_cookie_is_not_carried_into_another_accounts_request():
    def behave(visit):
        for _ in range(2):
            visit.read_request()
            visit.answer(OK, "200 OK", "Set-Cookie: account=one; Path=/")

    with serving(behave) as server:
        assert [send(server.url).outcome for _ in range(2)] == ["accepted"] * 2
    assert b"cookie" not in server.received.lower()


# Connections kept alive


def test_a_thread_keeps_its_connection_alive():
    with serving(accept_forever) as server:
        assert {send(server.url).outcome for _ in range(5)} == {"accepted"}
    assert len(server.visits) == 1


def test_a_connection_that_the_server_closed_while_idle_is_opened_anew():
    with serving(accept) as server:
        first = send(server.url)
        time.sleep(0.2)
        second = send(server.url)
    assert (first.outcome, second.outcome) == ("accepted", "accepted")
    assert len(server.visits) == 2 and server.received.count(b"POST") == 2


def test_a_connection_idle_for_too_long_is_opened_anew(monkeypatch):
    monkeypatch.setattr(tracing, "IDLE_LIMIT_S", 0.3)
    with serving(accept_forever) as server:
        send(server.url)
        send(server.url)
        time.sleep(0.4)
        assert send(server.url).outcome == "accepted"
    assert len(server.visits) == 2


def test_connections_are_not_kept_longer_than_five_seconds():
    assert tracing.IDLE_LIMIT_S == 5


def test_no_descriptor_is_left_open_by_failures():
    def count():
        return len(os.listdir("/proc/self/fd"))

    with serving(closing_after(0)) as server:
        send(server.url)
        before = count()
        for _ in range(20):
            send(server.url)
        time.sleep(0.1)
        assert count() <= before + 2


def test_a_forked_child_neither_shares_connections_nor_lacks_the_watchdog():
    def behave(visit):
        accept(visit)
        visit.read_request()
        visit.drip(b"HTTP/1.1 200 OK\r\n" + b"X-A: b\r\n" * 100, 0.05)

    with serving(behave) as server:
        assert send(server.url).outcome == "accepted"
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            first, second = send(server.url, deadline_s=1), send(server.url, deadline_s=1)
            os.write(writer, f"{first.outcome} {second.outcome} {second.error}".encode())
            os._exit(0)
        os.waitpid(child, 0)
        assert os.read(reader, 100) == b"accepted unknown deadline passed"
        os.close(reader), os.close(writer)
    assert len(server.visits) == 2


# Secrets


def test_the_secret_shows_nowhere(caplog, tmp_path):
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")
    context, _certificate = self_signed(tmp_path)
    seen = [repr(client("http://127.0.0.1:1")), str(client("http://127.0.0.1:1"))]
    with serving(accept) as server, serving(closing_after(1)) as rude, serving(accept, tls=context) as untrusted:
        echo = json.dumps({"code": 401, "desc": f"no user {KEY} with {SECRET}"}).encode()
        with serving(answering(echo)) as echoing:
            for url in (server.url, rude.url, untrusted.url, echoing.url, "http://127.0.0.1:1", "http://host.invalid"):
                seen += [repr(send(url, "private words")), repr(client(url).balance())]
    seen.append(caplog.text)
    assert "POST" in caplog.text
    assert not [text for text in seen if SECRET in text or "private words" in text]


def test_errors_name_no_address():
    for url in ("http://127.0.0.1:1", "http://host.invalid"):
        assert "/" not in send(url).error and "host" not in send(url).error.replace("host.invalid", "host")


# Balance


def test_the_balance_is_asked_for_by_post():
    body = (
        b'{"status":"success","description":{"currency":"MYR","balance":"187.9236","country":"MYS","credits":"2500"}}'
    )
    with serving(answering(body)) as server:
        got = client(server.url).balance("MYS")
    assert (got.ok, got.balance, got.currency, got.country, got.credits) == (
        True,
        Decimal("187.9236"),
        "MYR",
        "MYS",
        "2500",
    )
    assert server.received.startswith(b"POST /api/balance/v3_0/getBalance HTTP/1.1\r\n")
    assert form_of(server.received) == [("user", KEY), ("pass", SECRET), ("country", "MYS")]


def test_a_balance_that_cannot_be_had_is_a_value_too():
    with serving(answering(b'{"code":401,"desc":"Invalid Username or password"}')) as server:
        got = client(server.url).balance()
    assert (got.ok, got.code, got.stop, got.desc) == (False, 401, "credentials", "Invalid Username or password")
    lost = client("http://127.0.0.1:1").balance()
    assert (lost.ok, lost.http_status, lost.error) == (False, None, "ConnectionError")

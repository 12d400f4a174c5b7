"""Each fault does what its name says, and the ledger tells the truth."""

import socket
import time
from collections import Counter

import pytest
import requests

from tests.twin import APPROVED, SEND, Twin

from .hook import within

ACCEPTING = ["drop_after", "code500", "http500", "nonjson_after", "slow"]


def outcome(twin: Twin, timeout: float = 20) -> str:
    """What a client makes of one send."""
    try:
        with requests.Session() as fresh:
            twin.http, kept = fresh, twin.http
            try:
                answer = twin.post_form(
                    {"user": "key-of-tests", "pass": "secret-of-tests", "to": "whatsapp:60123240066", "text": APPROVED},
                    timeout=timeout,
                )
            finally:
                twin.http = kept
    except requests.Timeout:
        return "timeout"
    except requests.ConnectionError as error:
        return "reset" if "reset" in str(error).lower() else "closed"
    if not answer.headers["Content-Type"].startswith("application/json"):
        return f"html {answer.status_code}"
    return f"json {answer.status_code} {answer.json()['code']}"


@pytest.mark.parametrize(
    ("fault", "seen", "accepted"),
    [
        ("drop_after", "closed", 1),
        ("code500", "json 200 500", 1),
        ("http500", "html 500", 1),
        ("nonjson_after", "html 200", 1),
        ("reset_before", "reset", 0),
        ("http503", "html 503", 0),
        ("code402", "json 200 402", 0),
        ("code407", "json 200 407", 0),
        ("early_dn", "json 200 200", 1),
        ("dup_ref", "json 200 200", 1),
    ],
)
def test_a_fault_hits_the_numbered_call_and_no_other(twin, fault, seen, accepted):
    twin.faults({"fault": fault, "at": [2]})
    assert [outcome(twin) for _ in range(3)] == ["json 200 200", seen, "json 200 200"]
    assert len(twin.ledger()) == 2 + accepted


def test_stall_after_accepts_and_says_nothing(twin):
    twin.faults({"fault": "stall_after", "at": [1]})
    assert outcome(twin, timeout=1) == "timeout"
    assert len(twin.ledger()) == 1


def test_slow_answers_after_five_seconds_with_the_message_taken_at_once(twin):
    twin.faults({"fault": "slow", "at": [1]})
    started = time.monotonic()
    assert outcome(twin) == "json 200 200"
    assert 5 <= time.monotonic() - started < 8


@pytest.mark.parametrize("fault", ACCEPTING)
def test_what_accepts_first_still_owes_its_dns(hooked, hook, fault):
    hooked.faults({"fault": fault, "at": [1]})
    outcome(hooked)
    hook.wait(2)
    assert hook.statuses_told() == ["SENT", "DELIVERED"]


def test_a_request_that_the_checks_refuse_is_refused_under_a_fault_too(twin):
    twin.faults({"fault": "drop_after", "at": [1]})
    assert twin.send(text="Big sale!")["code"] == 406


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("dup_dn", ["SENT", "SENT", "DELIVERED", "DELIVERED"]),
        ("reorder_dn", ["DELIVERED", "SENT"]),
        ("lose_dn", []),
    ],
)
def test_dn_faults_repeat_turn_round_or_lose_them(hooked, hook, fault, told):
    hooked.faults({"fault": fault, "at": [1]})
    hooked.send()
    hook.wait(len(told))
    time.sleep(0.4)
    assert hook.statuses_told() == told


def test_an_early_dn_is_there_before_the_answer(hooked, hook):
    hooked.control("dn", delay_s=60)
    hooked.faults({"fault": "early_dn", "at": [1]})
    hook.delay_s = 0.2
    ref = hooked.send()["ref"]
    assert [call.form["msgid"] for call in hook.calls] == [ref, ref]


def test_dup_ref_gives_the_last_ref_again(twin):
    twin.faults({"fault": "dup_ref", "at": [2]})
    refs = [twin.send()["ref"] for _ in range(4)]
    assert refs[0] == refs[1]
    assert len(set(refs)) == 3


def test_a_share_hits_the_same_calls_for_the_same_seed(twin):
    runs = []
    for seed in (7, 7, 8):
        twin.faults({"fault": "code402", "share": 0.3, "seed": seed})
        runs.append([twin.send()["code"] for _ in range(60)])
    assert runs[0] == runs[1] != runs[2]
    assert 8 <= Counter(runs[0])[402] <= 30


def test_faults_are_counted_from_one_over_every_send_call(twin):
    twin.faults({"fault": "code412", "at": [2, 3]})
    requests.get(twin.url + SEND, timeout=5)  # a call without parameters counts too
    assert [twin.send()["code"] for _ in range(3)] == [412, 412, 200]
    twin.faults({"fault": "code413", "at": [1]})
    assert twin.send()["code"] == 413
    twin.faults()
    assert twin.send()["code"] == 200


def test_faults_combine(hooked, hook):
    hooked.faults({"fault": "drop_after", "at": [1]}, {"fault": "dup_dn", "at": [1]}, {"fault": "slow", "at": [2]})
    assert outcome(hooked) == "closed"
    hook.wait(4)


@pytest.mark.parametrize(
    ("faults", "word"),
    [
        ([{"fault": "explode", "at": [1]}], "Unknown fault 'explode'"),
        ([{"fault": "code200", "at": [1]}], "Unknown fault"),
        ([{"fault": "slow"}], "share or at"),
        ([{"fault": "slow", "share": 1.5}], "share"),
        ([{"fault": "slow", "share": True}], "share"),
        ([{"fault": "slow", "at": [0]}], "at is"),
        ([{"fault": "slow", "at": 1}], "at is"),
        (["slow"], "object"),
        ("slow", "list"),
        (None, "list"),
    ],
)
def test_a_bad_list_is_explained_and_leaves_the_old_one(twin, faults, word):
    twin.faults({"fault": "code402", "at": [1]})
    assert word in twin.refused("faults", {"faults": faults})
    assert twin.send()["code"] == 402


def test_a_client_that_leaves_does_not_undo_the_message(twin):
    body = f"user=key-of-tests&pass=secret-of-tests&to=whatsapp:60123240066&text={APPROVED}"
    head = f"POST {SEND} HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    with socket.create_connection(("127.0.0.1", twin.port)) as connection:
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode())
    assert within(5, twin.ledger)

"""Nothing that was answered is forgotten."""

import os
import signal
import socket
import subprocess
import sys
import time
from threading import Thread

import pytest
import requests

from tests.twin import AMINAH, APPROVED, ROOT, SECRET, TEMPLATE, USER, Twin, running_twin

FORM = {"user": USER, "pass": SECRET, "to": f"whatsapp:{AMINAH}", "text": APPROVED}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_everything_survives_an_end(tmp_path, hook, number):
    twin = Twin(tmp_path)
    twin.control("templates", texts=[TEMPLATE])
    twin.control("accounts", user=USER, hooks={"dn": f"{hook.url}/dn"})
    twin.control("dn", delay_s=2, form="json", suffix_single=True)
    twin.control("balance", balance="100.0000")
    twin.control("mo", msisdn=AMINAH, text="Hi")
    refs = [twin.send(to=f"whatsapp:{AMINAH},whatsapp:60102200533")["ref"] for _ in range(3)]
    before = twin.ledger()
    assert twin.end(number) == (0 if number == signal.SIGTERM else -number)
    assert hook.calls == []
    with running_twin(tmp_path) as again:
        assert again.ledger() == before
        assert again.balance() == "99.4000"
        assert again.state()["dn"]["form"] == "json"
        assert again.send(text="Free words")["code"] == 200  # the window
        assert again.send(to="whatsapp:60102200533")["code"] == 200  # the template
        assert again.send()["ref"] not in refs
        hook.wait(12 + 6)


def test_finished_dns_are_not_told_again(tmp_path, hook):
    twin = Twin(tmp_path)
    twin.control("templates", texts=[TEMPLATE])
    twin.control("accounts", user=USER, hooks={"dn": f"{hook.url}/dn", "mo": f"{hook.url}/mo"})
    twin.control("dn", delay_s=0)
    twin.control("mo", msisdn=AMINAH, text="Hi")
    twin.send()
    hook.wait(3)
    time.sleep(0.5)  # finished ones are journaled in batches
    twin.end(signal.SIGKILL)
    with running_twin(tmp_path) as again:
        time.sleep(0.7)
        assert len(hook.calls) == 3
        assert again.state()["pending"] == {"dn": 0, "mo": 0}


def test_a_dn_between_two_tries_is_owed_after_a_restart(tmp_path, hook):
    hook.statuses = [500, 200]
    twin = Twin(tmp_path)
    twin.control("templates", texts=[TEMPLATE])
    twin.control("accounts", user=USER, hooks={"dn": f"{hook.url}/dn"})
    twin.control("dn", delay_s=0)
    twin.send()
    hook.wait(2)
    time.sleep(0.4)
    twin.end(signal.SIGKILL)
    with running_twin(tmp_path):
        hook.wait(3)
        assert hook.statuses_told() == ["SENT", "DELIVERED", "SENT"]


def test_every_answered_request_is_in_the_ledger_after_kill_9_under_load(tmp_path):
    twin, refs = Twin(tmp_path), []
    twin.control("templates", texts=[TEMPLATE])

    def keep_sending() -> None:
        try:
            while True:
                refs.append(twin.post_form(FORM).json()["ref"])
        except (requests.ConnectionError, ValueError):  # the process is gone
            return

    thread = Thread(target=keep_sending)
    thread.start()
    time.sleep(0.6)
    twin.process.kill()
    thread.join()
    twin.end(signal.SIGKILL)
    with running_twin(tmp_path) as again:
        found = [line["ref"] for line in again.ledger()]
    assert len(refs) > 20
    assert found[: len(refs)] == refs
    assert len(found) - len(refs) <= 1


def test_a_torn_last_line_is_cut_off(tmp_path):
    with running_twin(tmp_path) as twin:
        twin.control("templates", texts=[TEMPLATE])
        twin.send()
    with (tmp_path / "sandbox.jsonl").open("ab") as journal:
        journal.write(b'{"kind":"send","request":2,"se')
    with running_twin(tmp_path) as twin:
        assert len(twin.ledger()) == 1
        assert twin.send()["code"] == 200
        assert [line["seq"] for line in twin.ledger()] == [1, 2]
    with running_twin(tmp_path) as twin:
        assert len(twin.ledger()) == 2


def test_a_reset_lasts(tmp_path):
    with running_twin(tmp_path) as twin:
        twin.control("templates", texts=[TEMPLATE])
        twin.control("mo", msisdn=AMINAH, text="Hi")
        twin.control("dn", form="json")
        twin.send()
        twin.control("reset")
        twin.send()
    with running_twin(tmp_path) as twin:
        assert [line["seq"] for line in twin.ledger()] == [1]
        assert twin.send(text="Free words")["code"] == 406
        assert twin.state()["dn"]["form"] == "form"
        assert twin.balance() == "999999.9000"


def test_a_seeded_secret_may_change_and_the_account_stays(tmp_path):
    with running_twin(tmp_path) as twin:
        twin.control("balance", balance="5.0000")
    with running_twin(tmp_path, secret="another") as twin:
        assert twin.post_form(FORM).json()["code"] == 401
        assert twin.post_form(FORM | {"pass": "another", "to": AMINAH, "detail": "1"}).json()["balance"] == "5.0000"


def test_an_inherited_socket_is_listened_on(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        with running_twin(tmp_path, "--fd", str(listening.fileno())) as twin:
            assert twin.port == listening.getsockname()[1]
            assert twin.get("/healthz").json() == {"ok": True}
        with running_twin(tmp_path, "--fd", str(listening.fileno())) as twin:
            assert twin.get("/healthz").status_code == 200


def ended(home, *options: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "messaging.providers.sandbox", "--home", str(home), *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)
    return done.returncode, done.stderr


def test_a_taken_port_or_home_ends_with_one_sentence(tmp_path):
    with running_twin(tmp_path / "a") as twin:
        code, said = ended(tmp_path / "b", "--port", str(twin.port))
        assert (code, said.count("\n")) == (2, 1)
        assert str(twin.port) in said
        code, said = ended(tmp_path / "a", "--port", "0")
        assert (code, said.count("\n")) == (2, 1)
        assert "Another sandbox" in said


def test_a_stalled_request_does_not_hold_up_the_end(tmp_path):
    with running_twin(tmp_path) as twin:
        twin.control("templates", texts=[TEMPLATE])
        twin.faults({"fault": "stall_after", "at": [1]})
        with socket.create_connection(("127.0.0.1", twin.port)) as connection:
            body = f"user={USER}&pass={SECRET}&to={AMINAH}&text=Hi"
            head = f"GET /gw/bulk360/v3_0/send.php?{body} HTTP/1.1\r\nHost: x\r\n\r\n"
            connection.sendall(head.encode())
            time.sleep(0.3)
            started = time.monotonic()
            assert twin.end() == 0
            assert time.monotonic() - started < 6


def test_the_journal_is_private(tmp_path):
    with running_twin(tmp_path):
        assert os.stat(tmp_path / "sandbox.jsonl").st_mode & 0o077 == 0

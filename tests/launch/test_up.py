"""`manage.py up` as a person starts it: whole, on a home of its own, with real kills."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from config.launch import process
from config.launch.problem import ROOT
from config.launch.stack import PIDS

READY = re.compile(r"^Switchboard is ready at (http://127\.0\.0\.1:\d+)$", re.MULTILINE)
PASSWORD = "correct-horse-battery"


class Running:
    """One `up` in the background; what it prints goes to a file that can be read meanwhile."""

    def __init__(self, home: Path, *options: str) -> None:
        self.home, self.output = home, home.with_suffix(".out")
        ours = ("DATABASE_URL", "REDIS_URL", "STATICFILES_STORAGE", "SWITCHBOARD_HOME", "SECRET_KEY", "FIELD_KEYS")
        env = {name: value for name, value in os.environ.items() if name not in ours}
        env |= {"SWITCHBOARD_DEMO_PASSWORD": PASSWORD}
        argv = [sys.executable, str(ROOT / "manage.py"), "up", "--home", str(home), *options]
        with open(self.output, "wb") as output:
            self.process = process.spawn(argv, env=env, output=output)

    def ready(self) -> str:
        assert process.wait(lambda: bool(READY.search(self.said())) or self.process.poll() is not None, 120), (
            self.said()
        )
        found = READY.search(self.said())
        assert found, self.said()
        return found[1]

    def said(self) -> str:
        return self.output.read_text()

    def facts(self) -> dict:
        return json.loads((self.home / "run.json").read_text())

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(120)


@pytest.fixture(scope="module")
def up(tmp_path_factory):
    running = Running(tmp_path_factory.mktemp("up") / "home")
    running.ready()
    yield running
    running.stop()


def status(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return answer.status


def test_it_says_where_it_is_and_who_may_sign_in(up):
    facts = up.facts()
    assert up.ready() == facts["web"]
    assert status(facts["web"] + "/readyz") == 200
    assert status(facts["sandbox"] + "/") == 200
    assert facts["users"] == dict.fromkeys(("composer", "approver", "agent", "viewer", "admin"), PASSWORD)
    assert PASSWORD in up.said()


def test_it_says_what_it_waits_for_before_it_is_ready_also_where_nobody_types(up):
    said = [line for line in up.said().partition("Switchboard is ready")[0].splitlines() if line.endswith("…")]
    assert [line.split()[0] for line in said if "styles" not in line] == [
        "Starting",
        "Preparing",
        "Seeding",
        "Starting",
    ]


def test_run_json_is_private_and_names_every_process(up):
    facts = up.facts()
    assert (up.home / "run.json").stat().st_mode & 0o777 == 0o600
    assert (up.home / "env").stat().st_mode & 0o777 == 0o600
    assert set(facts) == {"web", "sandbox", "hooks", "connection", "users", "pids"}
    assert set(facts["pids"]) == set(PIDS)
    assert all(os.getpgid(pid) == pid for pid in facts["pids"].values())
    assert facts["hooks"]["dn"].startswith(facts["web"] + "/hooks/")


def test_hooks_and_connection_are_those_that_the_product_knows(up):
    assert status(up.facts()["hooks"]["dn"]) == 200


def test_other_commands_find_the_running_servers_by_its_home(up):
    env = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG")}
    shell = [sys.executable, str(ROOT / "manage.py"), "shell", "-v0", "-c"]
    code = "from django.contrib.auth.models import User; print(User.objects.filter(username='composer').count())"
    done = subprocess.run([*shell, code], env=env | {"SWITCHBOARD_HOME": str(up.home)}, capture_output=True, check=True)
    assert done.stdout.strip() == b"1"


def test_a_second_run_on_the_same_home_is_refused_with_a_sentence(up):
    second = Running(up.home)
    assert second.process.wait(30) == 2
    assert "Switchboard already runs with" in second.said()


def test_a_taken_port_is_refused_with_a_sentence(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = Running(tmp_path / "home", "--port", str(taken.getsockname()[1]))
        assert refused.process.wait(30) == 2
    assert re.fullmatch(r"Port \d+ cannot be used: Address already in use\.\n", refused.said())


@pytest.mark.parametrize("name", PIDS)
def test_each_process_comes_back_after_a_kill_and_pages_are_served_again(up, name):
    before = up.facts()["pids"][name]
    os.killpg(before, signal.SIGKILL)
    assert process.wait(lambda: up.facts()["pids"][name] not in (None, before), 15)
    assert process.wait(lambda: answers(up.facts()["web"] + "/readyz"), 30)
    assert up.process.poll() is None


def answers(url):
    try:
        return status(url) == 200
    except OSError:
        return False


def test_a_killed_run_leaves_nothing_in_the_way_of_the_next_which_keeps_its_secrets(tmp_path):
    first = Running(tmp_path / "home")
    first.ready()
    left, secrets = first.facts()["pids"], (first.home / "env").read_text()
    first.process.kill()
    first.process.wait()
    second = Running(tmp_path / "home")
    second.ready()
    assert not [name for name, pid in left.items() if process.started(pid) and pid in second.facts()["pids"].values()]
    assert secrets.split("SECRET_KEY=")[1].split("\n")[0] in (second.home / "env").read_text()
    pids = second.facts()["pids"]
    began = time.monotonic()
    assert second.stop(signal.SIGINT) == 0
    assert time.monotonic() - began < 60
    assert not any(process.started(pid) for pid in [*left.values(), *pids.values()])
    assert not (second.home / "run.json").exists()

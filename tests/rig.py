"""The whole product as `manage.py up` runs it, with real processes that a test may kill by pid."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parents[1]
MANAGE = [sys.executable, str(ROOT / "manage.py")]
OURS = (
    "DATABASE_URL", "REDIS_URL", "SECRET_KEY", "FIELD_KEYS", "ADDRESS_HMAC_KEY", "SWITCHBOARD_HOME", "HTTPS",
    "STATICFILES_STORAGE",
)  # fmt: skip
IMPATIENT = {"PROVIDER_DEADLINE_S": "4", "FIRST_BYTE_S": "2"}  # a lease of 11 s, so that a test sees unknowns soon
START_S = 90


class Rig:
    """One running product on a home of its own."""

    def __init__(self, home: Path, env: dict[str, str]) -> None:
        self.home, self.env = home, env

    @property
    def run(self) -> dict[str, Any]:
        """What run.json says now; pids change with every restart."""
        return json.loads((self.home / "run.json").read_text())

    def kill(self, name: str) -> None:
        """kill -9 of a child's whole process group."""
        os.killpg(self.run["pids"][name], signal.SIGKILL)

    @property
    def beside(self) -> dict[str, str]:
        """The environment of other processes beside the running product."""
        return self.env | {"SWITCHBOARD_HOME": str(self.home)}

    @contextmanager
    def second_worker(self) -> Iterator[SecondWorker]:
        """One more worker on the same queue: `up` gives up on a child that dies five times a minute."""
        worker = SecondWorker(self)
        try:
            yield worker
        finally:
            worker.kill()

    def manage(self, *command: str) -> str:
        """Another command; its standard output."""
        env = self.beside
        done = subprocess.run([*MANAGE, *command], env=env, capture_output=True, text=True, timeout=120, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
        return done.stdout

    def report(self, campaign: str) -> dict[str, Any]:
        return json.loads(self.manage("campaign_report", campaign))

    def sandbox(self, what: str, **body: Any) -> None:
        requests.post(f"{self.run['sandbox']}/sandbox/{what}", json=body, timeout=10).raise_for_status()

    def ledger(self) -> Counter[str]:
        """How often the provider took a message for each number."""
        numbers: Counter[str] = Counter()
        after: Any = 0
        while True:
            page = requests.get(f"{self.run['sandbox']}/sandbox/ledger", params={"after": after}, timeout=10).json()
            if not page["entries"]:
                return numbers
            numbers.update(entry["msisdn"] for entry in page["entries"])
            after = page["entries"][-1]["seq"]


class SecondWorker:
    """A Celery worker of the test's own, in its own process group."""

    COMMAND = ("-m", "celery", "-A", "config", "worker", "-Q", "send", "-c", "2", "-n", "second@%h")

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.start()

    def start(self) -> None:
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(
            [sys.executable, *self.COMMAND], cwd=ROOT, env=self.rig.beside, start_new_session=True, **quiet
        )

    def kill(self) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    def restart(self) -> None:
        self.kill()
        self.start()


def wait_until(condition: Callable[[], bool], *, seconds: float, what: str) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, f"{what}: not within {seconds} s"
        time.sleep(0.2)


@contextmanager
def running(home: Path, **env: str) -> Iterator[Rig]:
    """Start on free ports, yield once ready, stop with all children."""
    clean = {key: value for key, value in os.environ.items() if key not in OURS} | IMPATIENT | env
    log = (home.parent / f"{home.name}.log").open("w+")
    with subprocess.Popen([*MANAGE, "up", "--home", str(home)], env=clean, stdout=log, stderr=log) as process:
        try:
            rig = Rig(home, clean)
            until = time.monotonic() + START_S
            while not (home / "run.json").exists():
                log.seek(0)
                assert process.poll() is None, log.read()
                assert time.monotonic() < until, log.read()
                time.sleep(0.2)
            yield rig
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(90)
            log.close()

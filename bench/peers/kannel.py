"""Kannel as Debian packages it: bearerbox with its disk spool and an HTTP SMSC that is the sink, and a smsbox.

Messages are handed over at smsbox's `sendsms`: an identical text to many recipients a call, a personal one to one. It
answers once bearerbox has the message in its spool. They count as sent when the sink has them.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from urllib.parse import quote_plus, urlencode

from bench.house import CONNECTIONS, PROCESSES
from bench.peers.handing import hand_over
from bench.peers.letters import Letter
from bench.peers.patience import LIMIT_S, ended, until
from bench.sink import Tally

RECIPIENTS_A_CALL = 100
SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin"  # where Debian has them, and not every shell looks
CONFIG = """
group = core
admin-port = {admin}
admin-password = bench
smsbox-port = {box}
box-allow-ip = "127.0.0.1"
store-type = spool
store-location = "{folder}/spool"
log-file = "{folder}/bearerbox.log"
log-level = 3

group = smsc
smsc = http
smsc-id = sink
system-type = generic
port = 0
send-url = "{url}&user=bench&pass=bench&to=%p&text=%b&detail=1"
max-pending-submits = {pending}
status-success-regex = "\\"code\\":200"
status-permfail-regex = "\\"code\\":4"
status-tempfail-regex = "\\"code\\":5"

group = smsbox
bearerbox-host = 127.0.0.1
sendsms-port = {sendsms}
global-sender = bench
log-file = "{folder}/smsbox.log"
log-level = 3

group = sendsms-user
username = bench
password = bench
max-messages = 10
concatenation = true
"""


def install() -> None:
    """Have Debian's package; says what it does."""
    if shutil.which("bearerbox", path=SBIN):
        return
    print("Kannel is not installed: apt-get installs Debian's package `kannel` now.", flush=True)
    command = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "kannel"]
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL, check=False, timeout=LIMIT_S).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        done = False
    if not done:
        raise SystemExit("This benchmark needs Debian's package `kannel`: `apt-get install kannel` as root.")


class Kannel:
    def __init__(self, sendsms: int) -> None:
        self.sendsms = sendsms

    def send(self, work: list[Letter], tally: Tally) -> float:
        """Recipients a second, from the first hand-over until the sink has all."""
        calls = [_call(text, people) for text, people in calls_of(work)]
        began = time.monotonic()
        hand_over(self.sendsms, calls)
        until(lambda: tally.count() >= len(work), "Kannel to send all", limit_s=LIMIT_S)
        return len(work) / (time.monotonic() - began)


def calls_of(work: list[Letter]) -> Iterator[tuple[str, list[str]]]:
    for text, group in groupby(work, key=lambda letter: letter.text):
        numbers = [letter.msisdn for letter in group]
        for start in range(0, len(numbers), RECIPIENTS_A_CALL):
            yield text, numbers[start : start + RECIPIENTS_A_CALL]


def _call(text: str, numbers: list[str]) -> bytes:
    query = urlencode({"username": "bench", "password": "bench", "text": text})
    to = quote_plus(" ".join(numbers))
    return f"GET /cgi-bin/sendsms?{query}&to={to} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()


@contextmanager
def running(url: str, folder: Path) -> Iterator[Kannel]:
    """Both boxes, with an empty spool, ended afterwards."""
    home = folder / "kannel"
    (home / "spool").mkdir(parents=True)
    admin, box, sendsms = _free_ports(3)
    config = home / "kannel.conf"
    pending = PROCESSES * CONNECTIONS
    config.write_text(
        CONFIG.format(admin=admin, box=box, sendsms=sendsms, folder=home, url=url, pending=pending), encoding="ascii"
    )
    try:
        with _box("bearerbox", config, box), _box("smsbox", config, sendsms):
            yield Kannel(sendsms)
    finally:
        shutil.rmtree(home)


@contextmanager
def _box(name: str, config: Path, port: int) -> Iterator[None]:
    program = shutil.which(name, path=SBIN)
    assert program
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with ended(subprocess.Popen([program, "-v", "4", str(config)], **quiet)) as process:  # type: ignore[call-overload]
        until(lambda: _listening(port) or process.poll() is not None, f"{name} to listen")
        if process.poll() is not None:
            raise RuntimeError(f"{name} did not start; see {config.parent}")
        yield


def _listening(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def _free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports

"""Messages taken a second through each way in for other systems, beside a DRF view that does nothing.

Everything on one gunicorn, in turn, over kept connections: what is measured is the product, not the server.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection

from django.contrib.auth.models import User

from bench.figures import Pair
from messaging import clients
from messaging.clock import db_now
from messaging.connections import create_connection
from messaging.models import Message, Scope

PEOPLE = 1_000  # messages a run
CALLERS = 8
READY_S = 30

Calls = Callable[[HTTPConnection, int], int]


def run(*, runs: int, people: int) -> None:
    """A counted run of each in turn, after one that warms up."""
    key = _seed()
    with _server() as port:
        idle = _posting("/bench/nothing", {}, b"{}")
        rest = _posting("/api/v1/messages", {"Authorization": f"Bearer {key}"}, None)
        pair = Pair("messages taken through REST", "a second")
        for counted in range(runs + 1):
            figures = [_rate(port, calls, people) for calls in (rest, idle)]
            if counted:
                pair.ours.append(figures[0])
                pair.baseline.append(figures[1])
    assert Message.objects.count() == (runs + 1) * people, "every 202 is a row"
    pair.show()


def _seed() -> str:
    """A key that may ask as often as it likes, and a connection that nobody drains."""
    now, owner = db_now(), User.objects.create_superuser("bench")
    create_connection(
        name="Bench", kind="sandbox", base_url="http://127.0.0.1:9", app_key="k", app_secret="s", user=owner, now=now
    )
    client = clients.create_client(
        name="Bench", scopes=[Scope.SEND], owner=owner, user=owner, now=now, rate_per_minute=1_000_000
    )
    return clients.add_key(client=client, user=owner, now=now)


def _posting(path: str, headers: dict[str, str], body: bytes | None) -> Calls:
    headers = headers | {"Content-Type": "application/json"}

    def call(connection: HTTPConnection, number: int) -> int:
        said = {"to": f"6012{3_000_000 + number}", "text": "Your parcel is here.", "channel": "sms"}
        connection.request("POST", path, body or json.dumps(said).encode(), headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    return call


def _rate(port: int, call: Calls, messages: int) -> float:
    """How many of so many calls a second; all of them have to be taken."""

    def some(caller: int) -> list[int]:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        statuses = [call(connection, number) for number in range(caller, messages, CALLERS)]
        connection.close()
        return statuses

    started = time.perf_counter()
    with ThreadPoolExecutor(CALLERS) as pool:
        statuses = [status for found in pool.map(some, range(CALLERS)) for status in found]
    seconds = time.perf_counter() - started
    assert set(statuses) == {202}, f"not all were taken: {set(statuses)}"
    return messages / seconds


@contextmanager
def _server() -> Iterator[int]:
    """Gunicorn as in production, with one more URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, "-m", "gunicorn", "bench.nothing_wsgi", "-w", "2", "--threads", "4"]
        command += ["-k", "gthread", "-b", f"fd://{listener.fileno()}", "--log-level", "warning"]
        env = os.environ | {"LOG_LEVEL": "WARNING"}
        with subprocess.Popen(command, pass_fds=[listener.fileno()], env=env) as process:
            try:
                _await(listener.getsockname()[1])
                yield listener.getsockname()[1]
            finally:
                process.terminate()


def _await(port: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=READY_S)
    connection.request("GET", "/healthz")
    assert connection.getresponse().read() == b"ok"

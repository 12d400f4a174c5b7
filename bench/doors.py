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
from urllib.parse import urlencode

from django.contrib.auth.models import User

from bench.figures import Pair
from messaging import clients
from messaging.clock import db_now
from messaging.connections import create_connection
from messaging.doorkeeping import create_door_client, rotate_door_key
from messaging.models import Connection, Message, Scope
from messaging.providers.bulk360 import SEND_PATH

PEOPLE = 1_000  # messages a run
CALLERS = 8
READY_S = 60
TEXT = "Your parcel is here."

Call = Callable[[HTTPConnection, int], bool]  # whether the message with this number was taken
OWNER = "bench"


def run(*, runs: int, people: int) -> None:
    """A counted run of each in turn, after one that warms up."""
    connection = _connection()
    ways = {"REST": _rest(), "the door": _door(connection)}
    pairs = {way: Pair(f"messages taken through {way}", "a second") for way in ways}
    with _server() as port:
        for counted in range(runs + 1):
            idle = _rate(port, _nothing, people)
            for way, call in ways.items():
                figure = _rate(port, call, people)
                if counted:
                    pairs[way].ours.append(figure)
                    pairs[way].baseline.append(idle)
    assert Message.objects.count() == len(ways) * (runs + 1) * people, "every message taken is a row"
    for pair in pairs.values():
        pair.show()


def _connection() -> Connection:
    """One that nobody drains."""
    owner = User.objects.create_superuser(OWNER)
    connection, _token = create_connection(
        name="Bench",
        kind="sandbox",
        base_url="http://127.0.0.1:9",
        app_key="k",
        app_secret="s",
        user=owner,
        now=db_now(),
    )
    return connection


def _rest() -> Call:
    """With a key that may ask as often as it likes."""
    now, owner = db_now(), User.objects.get(username=OWNER)
    client = clients.create_client(
        name="Bench", scopes=[Scope.SEND], owner=owner, user=owner, now=now, rate_per_minute=1_000_000
    )
    key = clients.add_key(client=client, user=owner, now=now)
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def call(to: HTTPConnection, number: int) -> bool:
        said = {"to": _number(number), "text": TEXT, "channel": "sms"}
        return _post(to, "/api/v1/messages", json.dumps(said), headers)[0] == 202

    return call


def _door(connection: Connection) -> Call:
    now, owner = db_now(), User.objects.get(username=OWNER)
    client = create_door_client(
        name="Bench", connection=connection, owner=owner, allowed_peers=["127.0.0.0/8"], user=owner, now=now
    )
    app_key, app_secret = rotate_door_key(client=client, user=owner, now=now)

    def call(to: HTTPConnection, number: int) -> bool:
        said = {"user": app_key, "pass": app_secret, "to": _number(number), "text": TEXT}
        answer = _post(to, SEND_PATH, urlencode(said), {"Content-Type": "application/x-www-form-urlencoded"})
        return b'"code":200' in answer[1]

    return call


def _nothing(to: HTTPConnection, _number: int) -> bool:
    return _post(to, "/bench/nothing", "{}", {"Content-Type": "application/json"})[0] == 202


def _number(number: int) -> str:
    return f"6012{3_000_000 + number}"


def _post(to: HTTPConnection, path: str, body: str, headers: dict[str, str]) -> tuple[int, bytes]:
    to.request("POST", path, body, headers)
    answer = to.getresponse()
    return answer.status, answer.read()


def _rate(port: int, call: Call, messages: int) -> float:
    """How many of so many calls a second; all of them have to be taken."""

    def some(caller: int) -> list[bool]:
        connection = HTTPConnection("127.0.0.1", port, timeout=60)
        taken = [call(connection, number) for number in range(caller, messages, CALLERS)]
        connection.close()
        return taken

    started = time.perf_counter()
    with ThreadPoolExecutor(CALLERS) as pool:
        taken = [one for found in pool.map(some, range(CALLERS)) for one in found]
    seconds = time.perf_counter() - started
    assert all(taken), f"{taken.count(False)} of {messages} were not taken"
    return messages / seconds


@contextmanager
def _server() -> Iterator[int]:
    """Gunicorn as in production, with one more URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        command = [sys.executable, "-m", "gunicorn", "-c", "python:config.serving", "bench.nothing_wsgi"]
        command += ["-w", "2", "--threads", "4"]
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

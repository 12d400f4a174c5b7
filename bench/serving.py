"""A web server as `up` runs it, and callers of it who cost as little as callers can."""

from __future__ import annotations

import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import requests

CALLERS = 2  # processes
STREAMS = 8  # kept-alive connections of each


@dataclass(frozen=True)
class Load:
    """What the callers saw: answers a second, and how long each took."""

    per_s: float
    ms: list[float]

    @property
    def p99(self) -> float:
        return statistics.quantiles(self.ms, n=100)[98]


@contextmanager
def server() -> Iterator[str]:
    """gunicorn with 2 workers of 4 threads; its address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(256)
        command = [sys.executable, "-m", "gunicorn", "config.wsgi", "--bind", f"fd://{listening.fileno()}"]
        command += ["-k", "gthread", "-w", "2", "--threads", "4", "--no-control-socket", "--log-level", "warning"]
        env = os.environ | {"DJANGO_SETTINGS_MODULE": "bench.settings", "LOG_LEVEL": "ERROR"}
        with subprocess.Popen(command, env=env, pass_fds=[listening.fileno()]) as process:
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            try:
                _until_ready(url)
                yield url
            finally:
                process.terminate()


def _until_ready(url: str) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            return requests.get(f"{url}/bench/bare", timeout=5).raise_for_status()
        except requests.RequestException:
            time.sleep(0.2)
    raise RuntimeError("the server did not start")


def call(url: str, requests_: Sequence[bytes], *, seconds: float, per_s: float = 0) -> Load:
    """Whole requests as bytes, sent in turn over kept-alive connections; as fast as answers come, or at a rate."""
    host, port = url.removeprefix("http://").split(":")
    command = [sys.executable, "-m", "bench.caller", host, port, str(STREAMS), str(seconds), str(per_s / CALLERS)]
    callers = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(CALLERS)
    ]
    for caller in callers:
        assert caller.stdin
        caller.stdin.write("".join(json.dumps(one.decode("latin-1")) + "\n" for one in requests_))
        caller.stdin.close()
    ms = []
    for caller in callers:
        assert caller.stdout
        ms += json.loads(caller.stdout.read())
        if caller.wait():
            raise RuntimeError("a caller failed")
    return Load(len(ms) / seconds, ms)

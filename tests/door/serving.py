"""Our web server as a process of its own on the tests' database, and what comes back for given bytes."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from django.db import connection as database

from tests.rig import wait_until

ROOT = Path(__file__).resolve().parents[2]
GUNICORN = (
    sys.executable, "-m", "gunicorn", "-c", "python:config.serving", "config.wsgi", "-k", "gthread", "--threads", "4",
    "--no-control-socket", "--limit-request-line", "8190", "--graceful-timeout", "5",
)  # fmt: skip
REF = re.compile(rb'"ref":"([^"]*)"')


@contextmanager
def serving(log: Path, *options: str, **env: str) -> Iterator[int]:
    """The port of gunicorn as production runs it; all that it says goes to `log`."""
    listening = socket.create_server(("127.0.0.1", 0))
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{database.settings_dict['NAME']}").geturl()
    with log.open("wb") as said:
        process = subprocess.Popen(
            [*GUNICORN, "--bind", f"fd://{listening.fileno()}", *options],
            cwd=ROOT,
            env=os.environ | {"DATABASE_URL": url, "HTTPS": "1"} | env,
            stdout=said,
            stderr=said,
            pass_fds=[listening.fileno()],
        )
    try:
        wait_until(lambda: "Booting worker" in log.read_text(), seconds=30, what="gunicorn")
        yield listening.getsockname()[1]
    finally:
        listening.close()
        process.send_signal(signal.SIGTERM)
        process.wait(20)


def ask(port: int | None, request: bytes) -> bytes:
    """Everything that comes back for these very bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        return connection.makefile("rb").read()


def essence(response: bytes) -> tuple[bytes, bytes, bytes]:
    """Status, content type and body of a response, the ref aside."""
    head, _, body = response.partition(b"\r\n\r\n")
    status, *headers = head.split(b"\r\n")
    kinds = [line.split(b": ")[1] for line in headers if line.lower().startswith(b"content-type:")]
    return status.split(b" ")[1], b"".join(kinds), REF.sub(b'"ref":"-"', body)

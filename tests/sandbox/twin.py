"""The twin as a process of its own, and a hook that keeps what it is told."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

ROOT = Path(__file__).resolve().parents[2]
USER, SECRET = "key-of-tests", "secret-of-tests"
SEND, BALANCE = "/gw/bulk360/v3_0/send.php", "/api/balance/v3_0/getBalance"
AMINAH, FARID, MEI = "60123240066", "60102200533", "60166600267"
TEMPLATE = "Hello {{name}}, your parcel is here."
APPROVED = "Hello Aminah, your parcel is here."


def within(seconds: float, holds: Callable[[], Any]) -> Any:
    """The first true value of `holds`; fails if there is none in time."""
    until = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.02)
    return value


class Twin:
    def __init__(self, home: Path, *options: str, user: str = USER, secret: str = SECRET) -> None:
        self.home = home
        command = [sys.executable, "-m", "messaging.providers.sandbox", "--home", str(home)]
        secrets = {"SANDBOX_APP_KEY": user, "SANDBOX_APP_SECRET": secret}
        self.process = subprocess.Popen(
            [*command, *(options or ("--port", "0"))],
            cwd=ROOT,
            env=os.environ | secrets,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[int(options[1])] if options[:1] == ("--fd",) else [],
        )
        assert self.process.stdout
        self.url = self.process.stdout.readline().removeprefix("Sandbox is ready at ").strip()
        self.port = urlsplit(self.url).port
        self.http = requests.Session()
        self.http.trust_env = False

    def send(self, *, to: str = f"whatsapp:{AMINAH}", text: str = APPROVED, **others: str) -> dict[str, Any]:
        return self.post_form({"user": USER, "pass": SECRET, "to": to, "text": text, **others}).json()

    def post_form(self, form: dict[str, str], *, timeout: float = 30) -> requests.Response:
        return self.http.post(self.url + SEND, data=form, timeout=timeout)

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.http.get(self.url + path, params=params, timeout=30)

    def control(self, name: str, **body: Any) -> None:
        answer = self.http.post(f"{self.url}/sandbox/{name}", json=body, timeout=30)
        assert answer.json() == {"ok": True}, answer.text

    def refused(self, name: str, body: Any) -> str:
        answer = self.http.post(f"{self.url}/sandbox/{name}", json=body, timeout=30)
        assert answer.status_code == 400, answer.text
        return answer.json()["error"]

    def faults(self, *faults: dict[str, Any]) -> None:
        self.control("faults", faults=list(faults))

    def ledger(self) -> list[dict[str, Any]]:
        entries, after = [], 0
        while after is not None:
            page = self.get("/sandbox/ledger", after=after).json()
            entries, after = entries + page["entries"], page["next"]
        return entries

    def state(self) -> dict[str, Any]:
        return self.get("/sandbox/state").json()

    def balance(self) -> str:
        return self.get(BALANCE, user=USER, **{"pass": SECRET}).json()["description"]["balance"]

    def end(self, number: int = signal.SIGTERM) -> int:
        self.http.close()
        self.process.send_signal(number)
        code = self.process.wait(timeout=20)
        self.process.stdout.close()
        return code


@contextmanager
def running(home: Path, *options: str, **account: str) -> Iterator[Twin]:
    twin = Twin(home, *options, **account)
    try:
        yield twin
    finally:
        if twin.process.poll() is None:
            twin.end()


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    query: dict[str, str]
    content_type: str
    body: bytes
    at: float

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode(), keep_blank_values=True))

    @property
    def fields(self) -> dict[str, str]:
        return self.form or self.query


@dataclass
class Hook:
    """Takes DNs and MOs; `statuses` are answered first, one a call, then 200."""

    calls: list[Call] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    sockets: int = 0
    delay_s: float = 0
    lock: Any = field(default_factory=Lock)

    def __post_init__(self) -> None:
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # callers are killed on purpose
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def take(self, call: Call) -> int:
        with self.lock:
            self.calls.append(call)
            return self.statuses.pop(0) if self.statuses else 200

    def wait(self, count: int, seconds: float = 10) -> list[Call]:
        within(seconds, lambda: len(self.calls) >= count)
        return self.calls

    def statuses_told(self) -> list[str]:
        return [call.fields["status"] for call in self.calls]

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


def _handler(hook: Hook) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def setup(self) -> None:
            super().setup()
            with hook.lock:
                hook.sockets += 1

        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            kind = self.headers.get("Content-Type", "")
            call = Call(self.command, parts.path, dict(parse_qsl(parts.query)), kind, body, time.time())
            time.sleep(hook.delay_s)
            self.send_response(hook.take(call))
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"OK")

        do_GET = do_POST = answer  # noqa: N815 names that the base class looks for

        def log_message(self, *_: Any) -> None:
            pass

    return Handler

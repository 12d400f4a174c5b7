"""A hook that keeps what it is told."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit


def within(seconds: float, holds: Callable[[], Any]) -> Any:
    """The first true value of `holds`; fails if there is none in time."""
    until = time.monotonic() + seconds
    while not (value := holds()):
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.02)
    return value


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

"""A sink that takes every message and answers like the provider, in a process of its own and with next to no work, so
that a benchmark measures its senders and not what they send to.

`python -m bench.sink` prints its URL, then serves until its standard input ends. It answers `?latency=MS` after so many
milliseconds. `GET /arrivals` tells what has come since it was last asked: [[unix time, recipients, first number], …].
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from subprocess import PIPE, Popen

import requests

HEAD_END = b"\r\n\r\n"
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
LATENCY = re.compile(rb"[?&]latency=(\d+)")
TO = re.compile(rb"(?:^|[?&])to=([^& ]*)")
COMMAS = (b"%2C", b",")
WHATSAPP = re.compile(rb"^whatsapp(%3A|:)", re.IGNORECASE)


class Arrivals:
    """What has come since somebody asked."""

    def __init__(self) -> None:
        self.total, self.news = 0, list[tuple[float, int, str]]()

    def take(self, to: bytes) -> bytes:
        """The body of the answer to a request for these recipients."""
        self.total += 1
        now, recipients = time.time(), 1 + sum(to.count(comma) for comma in COMMAS)
        self.news.append((now, recipients, WHATSAPP.sub(b"", to)[:20].decode()))
        return b'{"code":200,"desc":"OK","ref":"%d-%.4f","currency":"MYR","balance":"9000.0000"}' % (self.total, now)

    def tell(self) -> bytes:
        told, self.news = self.news, []
        return json.dumps(told).encode()


class Door(asyncio.Protocol):
    """One connection, kept alive."""

    def __init__(self, arrivals: Arrivals) -> None:
        self.arrivals, self.received = arrivals, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        while (end := self.received.find(HEAD_END)) >= 0:
            length = LENGTH.search(self.received, 0, end + 2)
            whole = end + len(HEAD_END) + (int(length[1]) if length else 0)
            if len(self.received) < whole:
                return
            request, self.received = self.received[:whole], self.received[whole:]
            self._answer(request[:end], request[end + len(HEAD_END) :])

    def _answer(self, head: bytes, form: bytes) -> None:
        line = head[: head.index(b"\r\n")]
        to = TO.search(form) or TO.search(line)
        asked = line.startswith(b"GET /arrivals ")
        body = self.arrivals.tell() if asked else self.arrivals.take(to[1] if to else b"")
        wait = LATENCY.search(line)
        if wait and wait[1] != b"0":
            asyncio.get_running_loop().call_later(int(wait[1]) / 1000, self._write, body)
        else:
            self._write(body)

    def _write(self, body: bytes) -> None:
        head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d" % len(body)
        self.transport.write(head + HEAD_END + body)


async def serve() -> None:
    arrivals, loop = Arrivals(), asyncio.get_running_loop()
    server = await loop.create_server(lambda: Door(arrivals), "127.0.0.1", 0, backlog=1024)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


@dataclass(frozen=True)
class Sink:
    """A running sink, as a benchmark sees it."""

    url: str
    pid: int

    def path(self, latency_ms: int) -> str:
        """Where to post so that the answer takes so long."""
        return f"/gw/bulk360/v3_0/send.php?latency={latency_ms}"

    def arrivals(self) -> list[tuple[float, int, str]]:
        return [tuple(one) for one in requests.get(f"{self.url}/arrivals", timeout=60).json()]


class Tally:
    """How many recipients have come since it was begun; nobody else asks the sink meanwhile."""

    def __init__(self, sink: Sink) -> None:
        self.sink, self._count = sink, 0
        sink.arrivals()

    def count(self) -> int:
        self._count += sum(recipients for _, recipients, _ in self.sink.arrivals())
        return self._count


@contextmanager
def running() -> Iterator[Sink]:
    with Popen([sys.executable, "-m", "bench.sink"], stdin=PIPE, stdout=PIPE, text=True) as process:
        assert process.stdin and process.stdout
        try:
            yield Sink(process.stdout.readline().strip(), process.pid)
        finally:
            process.stdin.close()


if __name__ == "__main__":
    asyncio.run(serve())

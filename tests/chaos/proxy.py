"""A TCP proxy that spoils what passes: `python -m tests.chaos.proxy UPSTREAM`, steered by lines of JSON.

UPSTREAM is host:port or the path of a Unix socket. It prints its port and its control port, then serves until killed.
A line to the control port changes rules ({"latency_s": 0.2}), or does something once ({"do": "reset"}), and is answered
with what has passed so far.
"""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import sys
from asyncio import StreamReader, StreamWriter
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from typing import Any

CHUNK = 65_536
COMMIT = b"COMMIT\x00"  # PostgreSQL's simple query, as psycopg sends it


@dataclass
class Rules:
    """What befalls the bytes from now on."""

    latency_s: float = 0.0  # before each chunk, either way
    jitter_s: float = 0.0
    black_hole: bool = False  # connections are taken, nothing passes
    refuse: bool = False  # new connections are reset at once
    cut_request_after: int | None = None  # bytes of one connection towards the server, then a reset
    cut_answer_after: int | None = None  # bytes of one connection towards the client, then a reset
    cut_commit: int | None = None  # the n-th COMMIT from now on reaches the server, its reply nobody


@dataclass
class Passed:
    """What has gone through."""

    connections: int = 0
    commits: int = 0
    cuts: int = 0


class Link:
    """One client's connection and ours to the server."""

    def __init__(self, client: StreamWriter, server: StreamWriter) -> None:
        self.client, self.server = client, server
        self.requested = self.answered = 0
        self.committing = False

    def reset(self) -> None:
        """End both ways at once; the client sees RST."""
        sock = self.client.get_extra_info("socket")
        with suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.client.transport.abort()
        self.server.transport.abort()


class Proxy:
    def __init__(self, upstream: str) -> None:
        self._upstream = upstream
        self._rules, self._passed = Rules(), Passed()
        self._links: set[Link] = set()
        self._open = asyncio.Event()
        self._open.set()
        self._commits_left = 0

    async def run(self) -> None:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        control = await asyncio.start_server(self._control, "127.0.0.1", 0)
        ports = (one.sockets[0].getsockname()[1] for one in (server, control))
        print(*ports, flush=True)
        await asyncio.Event().wait()

    async def _serve(self, reader: StreamReader, client: StreamWriter) -> None:
        self._passed.connections += 1
        await self._open.wait()
        try:
            answers, server = await self._connect()
        except OSError:
            client.transport.abort()
            return
        link = Link(client, server)
        if self._rules.refuse:
            link.reset()
            return
        self._links.add(link)
        await asyncio.gather(self._pump(reader, link, self._request), self._pump(answers, link, self._answer))
        self._links.discard(link)

    def _connect(self) -> Coroutine[Any, Any, tuple[StreamReader, StreamWriter]]:
        if self._upstream.startswith("/"):
            return asyncio.open_unix_connection(self._upstream)
        host, _, port = self._upstream.rpartition(":")
        return asyncio.open_connection(host, int(port))

    async def _pump(self, reader: StreamReader, link: Link, handle: Any) -> None:
        """One direction, until either side ends it; then both ends close."""
        with suppress(OSError):
            while chunk := await reader.read(CHUNK):
                await self._open.wait()
                if pause_s := self._rules.latency_s + random.uniform(0, self._rules.jitter_s):
                    await asyncio.sleep(pause_s)
                handle(link, chunk)
        for writer in (link.client, link.server):
            with suppress(OSError):
                writer.close()

    def _request(self, link: Link, chunk: bytes) -> None:
        commits = chunk.count(COMMIT)
        self._passed.commits += commits
        if 0 < self._commits_left <= commits:
            link.committing = True
        self._commits_left = max(0, self._commits_left - commits)
        limit = self._rules.cut_request_after
        link.requested += len(chunk)
        if limit is not None and link.requested >= limit:
            link.server.write(chunk[: limit - link.requested + len(chunk)])
            self._cut(link)
        else:
            link.server.write(chunk)

    def _answer(self, link: Link, chunk: bytes) -> None:
        limit = self._rules.cut_answer_after
        link.answered += len(chunk)
        if link.committing:  # the server has done it, or it would not answer
            self._cut(link)
        elif limit is not None and link.answered >= limit:
            link.client.write(chunk[: limit - link.answered + len(chunk)])
            self._cut(link)
        else:
            link.client.write(chunk)

    def _cut(self, link: Link) -> None:
        self._passed.cuts += 1
        link.reset()

    async def _control(self, reader: StreamReader, writer: StreamWriter) -> None:
        while line := await reader.readline():
            order = json.loads(line)
            if order.pop("do", None) == "reset":
                for link in list(self._links):
                    link.reset()
            self._change(order)
            writer.write(json.dumps(asdict(self._passed)).encode() + b"\n")

    def _change(self, rules: dict[str, Any]) -> None:
        known = {field.name for field in fields(Rules)}
        for name, value in rules.items():
            assert name in known, name
            setattr(self._rules, name, value)
        if "cut_commit" in rules:
            self._commits_left = rules["cut_commit"] or 0
        if self._rules.black_hole:
            self._open.clear()
        else:
            self._open.set()


if __name__ == "__main__":
    asyncio.run(Proxy(sys.argv[1]).run())

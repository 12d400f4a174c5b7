"""Whole HTTP requests over kept-alive connections, with as little work as a caller can have."""

import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from bench.caller import LENGTH

STREAMS = 16
TIMEOUT_S = 60


def hand_over(port: int, calls: Sequence[bytes]) -> None:
    """Each is answered with a success, or this raises."""
    with ThreadPoolExecutor(STREAMS) as pool:
        list(pool.map(lambda stream: _hand_over(port, calls[stream::STREAMS]), range(min(STREAMS, len(calls)))))


def _hand_over(port: int, calls: Sequence[bytes]) -> None:
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for call in calls:
            connection.sendall(call)
            head, body = _answer(connection)
            if not head.startswith(b"HTTP/1.1 2"):
                raise RuntimeError((head + body).decode(errors="replace"))


def _answer(connection: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        data += _more(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    found = LENGTH.search(head)
    while found and len(body) < int(found[1]):
        body += _more(connection)
    return head, body


def _more(connection: socket.socket) -> bytes:
    block = connection.recv(65536)
    if not block:
        raise RuntimeError("the connection was closed before its answer")
    return block

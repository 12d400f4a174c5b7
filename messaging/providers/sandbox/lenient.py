"""Request lines that were never percent-encoded: scripts send them, and the provider's server takes them."""

import asyncio
import re

UNENCODED = re.compile(rb"[^\x21-\x7e]")


def encoded_line(data: bytes) -> bytes:
    """The data with blanks and bytes beyond ASCII in the target of its request line percent-encoded."""
    line, end, rest = data.partition(b"\r\n")
    if not end or (line.isascii() and line.count(b" ") == 2):
        return data
    method, _, target_and_version = line.partition(b" ")
    target, _, version = target_and_version.rpartition(b" ")
    return b"%s %s %s\r\n%s" % (method, UNENCODED.sub(_percent, target), version, rest)


def _percent(found: re.Match[bytes]) -> bytes:
    return b"%%%02X" % found[0][0]


class LenientLines(asyncio.Protocol):
    """Stands before aiohttp's protocol, whose parser is strict."""

    def __init__(self, strict: asyncio.Protocol) -> None:
        self._strict = strict
        self.connection_made = strict.connection_made  # type: ignore[method-assign]
        self.connection_lost = strict.connection_lost  # type: ignore[method-assign]
        self.eof_received = strict.eof_received  # type: ignore[method-assign]
        self.pause_writing = strict.pause_writing  # type: ignore[method-assign]
        self.resume_writing = strict.resume_writing  # type: ignore[method-assign]

    def data_received(self, data: bytes) -> None:
        self._strict.data_received(encoded_line(data) if data.startswith((b"GET /", b"POST /")) else data)

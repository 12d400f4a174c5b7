"""One POST to a receiver: to a checked address, without redirects, proxies or retries, and an end to every wait."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse
from ipaddress import IPv6Address

from certifi import where

from messaging.providers.tracing import Trace, watchdog
from messaging.text import storable
from messaging.webhooks.addresses import Address, BadAddress, Target, read_url, resolve

DEADLINE_S = 15.0  # the whole exchange (reliability.md F46); only a name lookup can outlast it
BODY_LIMIT = 64 * 1024  # bytes of an answer that are read
SHOWN = 200  # characters of it that are kept
_TROUBLE = (OSError, HTTPException, ValueError)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a receiver said; `status` is None without an answer, `error` then says why, without the URL."""

    status: int | None = None
    answer: str = ""
    error: str = ""
    retry_after: str = ""
    ms: int = 0

    @property
    def delivered(self) -> bool:
        return self.status is not None and 200 <= self.status < 300 and not self.error


def post(url: str, body: bytes, headers: Mapping[str, str], *, deadline_s: float = DEADLINE_S) -> Reply:
    """Never raises. Anything but a whole 2xx answer is a failure; a redirect, too."""
    started = time.monotonic()
    try:
        target = read_url(url)
        addresses = resolve(target)
    except BadAddress as bad:
        return Reply(error=str(bad), ms=_since(started))
    trace = Trace(not_after=started + deadline_s, deadline=started + deadline_s)
    said = Reply()
    try:
        with watchdog.watching(trace), _connected(target, addresses, trace) as sock:
            said = _exchange(target, sock, body, headers)
    except _TROUBLE as trouble:
        said = Reply(error=type(trouble).__name__)
    finally:
        trace.finish()
    error = "deadline passed" if trace.cut_off else said.error
    return Reply(said.status, said.answer, error, said.retry_after, _since(started))


def _since(started: float) -> int:
    return int((time.monotonic() - started) * 1000)


def _connected(target: Target, addresses: list[Address], trace: Trace) -> socket.socket:
    """A socket to the first address that answers; TLS is for the name, the connection is for the checked address."""
    trouble: OSError = TimeoutError("no time left")
    for address in addresses:
        left = trace.deadline - time.monotonic()
        if left <= 0:
            break
        sock = socket.socket(socket.AF_INET6 if isinstance(address, IPv6Address) else socket.AF_INET)
        try:
            sock.settimeout(left)
            trace.hold(sock)
            sock.connect((str(address), target.port))
            return _tls().wrap_socket(sock, server_hostname=target.host) if target.scheme == "https" else sock
        except OSError as error:
            sock.close()
            trouble = error
    raise trouble


@cache
def _tls() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=where())


def _exchange(target: Target, sock: socket.socket, body: bytes, headers: Mapping[str, str]) -> Reply:
    connection = HTTPConnection(target.host, target.port)
    connection.auto_open = 0
    connection.sock = sock
    connection.request("POST", target.path, body, {**headers, "Host": target.host_header, "Connection": "close"})
    with connection.getresponse() as response:
        content = _read(response)
    text = storable(content[: SHOWN * 4].decode("utf-8", "replace"))[:SHOWN]
    return Reply(response.status, text, retry_after=response.getheader("Retry-After", ""))


def _read(response: HTTPResponse) -> bytes:
    """At most BODY_LIMIT bytes; what a receiver says beyond them is its own affair."""
    content = bytearray()
    while len(content) < BODY_LIMIT and (chunk := response.read1(BODY_LIMIT - len(content))):
        content += chunk
    return bytes(content)

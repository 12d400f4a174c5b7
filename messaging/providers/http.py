"""POST a form and say what came back, as a value: no retries, redirects, proxies, cookies, and an end to every wait."""

import contextlib
import logging
import os
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPException
from urllib.parse import urlencode, urlsplit

import certifi
import requests
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

from messaging.providers import tracing
from messaging.providers.tracing import Trace, TracedHTTPConnection, TracedHTTPSConnection

log = logging.getLogger(__name__)

BODY_LIMIT = 64 * 1024  # bytes of an answer that are read
KEPT_BY_A_THREAD = 8  # connections to different servers
_TROUBLE = (HTTPError, HTTPException, OSError, ValueError)  # requests' own are OSErrors
_NAMES: tuple[tuple[type[Exception], str], ...] = (  # of troubles, as requests calls them
    (NewConnectionError, "ConnectionError"),
    (ConnectTimeoutError, "ConnectTimeout"),
    (ssl.SSLError, "SSLError"),
)
_HEADERS = {
    "Accept": "*/*",
    "Accept-Encoding": "identity",
    "Connection": "keep-alive",
    "Content-Type": "application/x-www-form-urlencoded",
    "User-Agent": "Switchboard",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What one POST brought. `http_status` is 0 without an answer; `wrote` False means that certainly nothing left."""

    http_status: int
    body: bytes
    complete: bool
    wrote: bool
    error: str
    elapsed_s: float


def post(
    url: str,
    form: Mapping[str, str],
    *,
    connect_timeout_s: float,
    deadline_s: float,
    not_after_monotonic: float | None = None,
    verify: bool | str = True,
) -> Reply:
    """POST `form` as UTF-8 and read at most BODY_LIMIT bytes, by `deadline_s` (only a name lookup can outlast it).

    The first byte leaves by `not_after_monotonic` or never.
    """
    data = _encoded(form)
    started = time.monotonic()
    deadline = started + deadline_s
    trace = Trace(deadline=deadline, not_after=deadline if not_after_monotonic is None else not_after_monotonic)
    received = _Received()
    with tracing.watchdog.watching(trace):
        try:
            target = _target(url)
            connection = _connection(target, verify)
            _exchange(connection, target.path, data, trace, received, min(connect_timeout_s, deadline_s), deadline_s)
        except _TROUBLE as trouble:
            received.error = _name(trouble)
        finally:
            trace.finish()
    log.debug("POST: %s %s", received.http_status, received.error)
    return Reply(
        http_status=received.http_status,
        body=bytes(received.body),
        complete=not received.error and not trace.cut_off,
        wrote=trace.wrote,
        error=_error(trace, received.error),
        elapsed_s=time.monotonic() - started,
    )


def _encoded(form: Mapping[str, str]) -> bytes:
    try:
        return urlencode(form).encode()
    except UnicodeEncodeError:
        raise ValueError("a form value holds a lone surrogate") from None  # the original exception carries the text


def _error(trace: Trace, trouble: str) -> str:
    if trace.too_late:
        return "too late for the first byte"
    return "deadline passed" if trace.cut_off else trouble


def _name(trouble: Exception) -> str:
    return next((name for kind, name in _NAMES if isinstance(trouble, kind)), type(trouble).__name__)


class _Received:
    """What has arrived so far, kept when the rest does not."""

    def __init__(self) -> None:
        self.http_status, self.body, self.error = 0, bytearray(), ""


def _exchange(
    connection: TracedHTTPConnection,
    path: str,
    data: bytes,
    trace: Trace,
    received: _Received,
    connect_timeout_s: float,
    read_timeout_s: float,
) -> None:
    """One request and its answer. The connection is kept only if the answer was read to its end."""
    whole = False
    connection.begin(trace)
    try:
        if connection.is_closed:
            connection.open(connect_timeout_s, read_timeout_s)
        with contextlib.suppress(BrokenPipeError), connection.corked():  # it may answer before it has read everything
            connection.request("POST", path, data, _HEADERS, preload_content=False, decode_content=False)
        whole = _read(connection, received)
    finally:
        trace.finish()
        connection.end(reusable=whole)


def _read(connection: TracedHTTPConnection, received: _Received) -> bool:
    """Whether all of the answer is read."""
    response = connection.getresponse()
    received.http_status = response.status
    while len(received.body) < BODY_LIMIT:
        chunk = response.read1(BODY_LIMIT - len(received.body), decode_content=False)
        if not chunk:
            return True
        received.body += chunk
    return False


@dataclass(frozen=True, slots=True)
class _Target:
    """A URL as requests prepares it, taken apart."""

    scheme: str
    host: str
    port: int | None
    path: str


@lru_cache(maxsize=64)
def _target(url: str) -> _Target:
    """Raises what requests raises for a URL that leads nowhere."""
    prepared = requests.Request("POST", url).prepare()
    parts = urlsplit(str(prepared.url))
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise requests.exceptions.InvalidSchema
    return _Target(parts.scheme, parts.hostname, parts.port, prepared.path_url)


_local = threading.local()


def _connection(target: _Target, verify: bool | str) -> TracedHTTPConnection:
    """This thread's connection to a server. It holds no account's data, so all connections of ours share it."""
    if not hasattr(_local, "kept"):
        _local.kept = {}
    kept: dict[object, TracedHTTPConnection] = _local.kept
    key = target.scheme, target.host, target.port, verify
    if key not in kept:
        while len(kept) >= KEPT_BY_A_THREAD:
            kept.pop(next(iter(kept))).end(reusable=False)
        kept[key] = _new_connection(target, verify)
    return kept[key]


def _new_connection(target: _Target, verify: bool | str) -> TracedHTTPConnection:
    if target.scheme == "http":
        return TracedHTTPConnection(target.host, target.port)
    return TracedHTTPSConnection(target.host, target.port, ssl_context=_trusting(verify))


@lru_cache(maxsize=8)
def _trusting(verify: bool | str) -> ssl.SSLContext:
    """Who vouches for servers: those that requests trusts, or those in a file. Loading them outlasts a request."""
    context = create_urllib3_context(cert_reqs=ssl.CERT_REQUIRED)
    context.load_verify_locations(certifi.where() if verify is True else str(verify))
    return context


os.register_at_fork(after_in_child=_local.__dict__.clear)  # a child must not talk on its parent's sockets

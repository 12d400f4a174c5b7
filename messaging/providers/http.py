"""POST a form and say what came back, as a value: no retries, redirects, proxies, cookies, and an end to every wait."""

import contextlib
import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urlencode

import requests
from urllib3.exceptions import HTTPError

from messaging.providers import tracing
from messaging.providers.tracing import Trace, TracedAdapter, traced

BODY_LIMIT = 64 * 1024  # bytes of an answer that are read
_TROUBLE = (requests.RequestException, HTTPError, HTTPException, OSError, ValueError)
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
    with tracing.watchdog.watching(trace), traced(trace):
        try:
            received.take(
                _session().post(
                    url,
                    data=data,
                    timeout=(min(connect_timeout_s, deadline_s), deadline_s),
                    allow_redirects=False,
                    stream=True,
                    verify=verify,
                )
            )
        except _TROUBLE as trouble:
            received.error = type(trouble).__name__
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


class _Received:
    """What has arrived so far, kept when the rest does not."""

    def __init__(self) -> None:
        self.http_status, self.body, self.error = 0, bytearray(), ""

    def take(self, response: requests.Response) -> None:
        self.http_status = response.status_code
        with contextlib.closing(response):
            while len(self.body) < BODY_LIMIT:
                chunk = response.raw.read1(BODY_LIMIT - len(self.body), decode_content=False)
                if not chunk:
                    return
                self.body += chunk


_local = threading.local()


def _session() -> requests.Session:
    """This thread's session. It holds no account's data, so all connections share it."""
    if not hasattr(_local, "session"):
        _local.session = _new_session()
    return _local.session


def _new_session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.headers.clear()
    session.headers.update(_HEADERS)
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    for scheme in ("http://", "https://"):
        session.mount(scheme, TracedAdapter())
    return session


os.register_at_fork(after_in_child=_local.__dict__.clear)  # a child must not talk on its parent's sockets

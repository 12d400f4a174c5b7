"""Connections that record what certainly did not leave, and that a watchdog can cut at any moment.

requests and urllib3 tell us that a call failed, not whether a byte of it was written; these classes do.
"""

import contextlib
import os
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

from urllib3.connection import HTTPConnection, HTTPSConnection

IDLE_LIMIT_S = 5.0  # a server may close a connection idle for longer; found out too late, that is a false unknown


class TooLate(OSError):
    """The time for the first byte has passed; nothing was written."""


class Trace:
    """What happened to one request on the wire. `wrote` is set before the first write: it means "may have left"."""

    def __init__(self, *, not_after: float, deadline: float) -> None:
        """Both are readings of time.monotonic()."""
        self.deadline = deadline
        self.connected = self.wrote = self.too_late = self.cut_off = False
        self._not_after = min(not_after, deadline)
        self._lifeline: socket.socket | None = None
        self._lock = threading.Lock()
        self._done = False

    def before_write(self) -> None:
        """Raises TooLate instead of letting a first byte leave after its time."""
        if not self.wrote and (self.cut_off or time.monotonic() > self._not_after):
            self.too_late = True
            raise TooLate
        self.wrote = True

    def hold(self, lifeline: socket.socket) -> None:
        """Cutting this request means shutting that socket from now on."""
        with self._lock:
            self._lifeline = lifeline
        if self.cut_off:
            self.cut()

    def cut(self) -> None:
        """Shut the request's connection under it, from any thread; no effect once the request is finished."""
        with self._lock:
            if self._done:
                return
            self.cut_off = True
            if self._lifeline is not None:
                with contextlib.suppress(OSError):
                    self._lifeline.shutdown(socket.SHUT_RDWR)

    def finish(self) -> None:
        """From here on the connection may serve another request."""
        with self._lock:
            self._done = True
            self._lifeline = None


class TracedHTTPConnection(HTTPConnection):
    """Carries one thread's requests one after the other, and reports to the trace of each.

    Its lifeline is a duplicate descriptor: TLS may own the other, and one that closes early is no longer cut
    (http.client lets go of its socket before the body is read when the answer says `Connection: close`).
    """

    trace: Trace
    idle_since = 0.0
    _lifeline: socket.socket | None = None
    _corked: bytearray | None = None

    def begin(self, trace: Trace) -> None:
        """The next request is that trace's; a connection that was closed or idle for IDLE_LIMIT_S is opened anew."""
        self.trace = trace
        if self.sock is None:
            return
        if time.monotonic() - self.idle_since >= IDLE_LIMIT_S or not self.is_connected:
            self.close()
        elif self._lifeline is not None:
            trace.hold(self._lifeline)

    def open(self, connect_timeout_s: float, read_timeout_s: float) -> None:
        """`timeout` is what urllib3 puts on the socket again before it reads an answer."""
        self.timeout = connect_timeout_s
        self.connect()
        self.timeout = read_timeout_s
        self.sock.settimeout(read_timeout_s)

    def end(self, *, reusable: bool) -> None:
        """The trace is finished; keep the connection for the next request, or let go of all of it."""
        self.idle_since = time.monotonic()
        if not reusable:
            self.close()
        if self.sock is None:
            self._let_go()

    def _let_go(self) -> None:
        if self._lifeline is not None:
            self._lifeline.close()
            self._lifeline = None

    def _new_conn(self) -> socket.socket:
        sock = super()._new_conn()
        self._let_go()
        self._lifeline = socket.socket(fileno=os.dup(sock.fileno()))
        self.trace.hold(self._lifeline)
        return sock

    def connect(self) -> None:
        super().connect()
        self.trace.connected = True

    @contextlib.contextmanager
    def corked(self) -> Iterator[None]:
        """What is sent meanwhile leaves in one write at the end: head and body apart are two packets and two calls."""
        self._corked = bytearray()
        try:
            yield
        finally:
            data, self._corked = self._corked, None
        self.send(data)

    def send(self, data: Any) -> None:
        if self._corked is not None:
            self._corked += data
            return
        if self.sock is None:
            self.connect()
        self.trace.before_write()
        super().send(data)


class TracedHTTPSConnection(TracedHTTPConnection, HTTPSConnection):
    """The same over TLS; nothing counts as written before the handshake is done and the certificate trusted."""


class Watchdog:
    """One thread that cuts every watched request at its deadline, whatever the server drips meanwhile."""

    TICK_S = 0.1

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """As new: a forked child has neither the thread nor a lock in a known state."""
        self._watched: set[Trace] = set()
        self._wake = threading.Condition()
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def watching(self, trace: Trace) -> Iterator[None]:
        with self._wake:
            self._watched.add(trace)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="request-watchdog", daemon=True)
                self._thread.start()
            self._wake.notify()
        try:
            yield
        finally:
            with self._wake:
                self._watched.discard(trace)

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._watched)
                overdue = [trace for trace in self._watched if trace.deadline <= time.monotonic()]
            for trace in overdue:
                trace.cut()
            time.sleep(self.TICK_S)


watchdog = Watchdog()
os.register_at_fork(after_in_child=watchdog.reset)

"""Operations that fail at their k-th time, in this process: SQL statements, COMMITs, and sockets to the provider.

What is broken is the real connection underneath, so that the product meets the errors it would meet in production.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from typing import Any

from django.db import connection as database
from urllib3.exceptions import NewConnectionError

from messaging.providers.tracing import TracedHTTPConnection

HALF = 20  # bytes of a request that leave before its connection breaks


class Countdown:
    """True once, at the k-th call."""

    def __init__(self, k: int) -> None:
        self._left = k
        self._lock = threading.Lock()

    @property
    def over(self) -> bool:
        """Whether it came to that."""
        return self._left <= 0

    def strikes(self) -> bool:
        with self._lock:
            self._left -= 1
            return self._left == 0


def statements(countdown: Countdown, *, after: bool) -> None:
    """The connection is lost just before the k-th statement runs, or after it ran and before its answer."""

    def execute(run: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if countdown.strikes():
            if after:
                run(sql, params, many, context)
            _lose_database()
        return run(sql, params, many, context)

    database.execute_wrappers.append(execute)


def commits(countdown: Countdown, *, after: bool) -> None:
    """The connection is lost just before the k-th COMMIT, or after it took effect and before its answer."""
    commit = database._commit

    def committing() -> None:
        if countdown.strikes():
            if after:
                commit()
            _lose_database()
        commit()

    database._commit = committing  # type: ignore[method-assign]


def _lose_database() -> None:
    """The next use of it raises what a broken connection raises."""
    if database.connection is not None:
        database.connection.close()


def provider_sockets(countdown: Countdown, *, after: bool) -> None:
    """The k-th connect, write or read fails; a write may have sent its first bytes by then."""

    class Shaky(socket.socket):
        __slots__ = ()

        def sendall(self, data: Any, *flags: Any) -> None:
            if countdown.strikes():
                if after:
                    super().sendall(data[:HALF])
                raise ConnectionResetError
            super().sendall(data, *flags)

        def recv_into(self, *where: Any) -> int:
            if countdown.strikes():
                raise ConnectionResetError
            return super().recv_into(*where)

    connect = TracedHTTPConnection._new_conn

    def connecting(self: TracedHTTPConnection) -> socket.socket:
        if countdown.strikes():
            raise NewConnectionError(self, "refused")
        sock = connect(self)
        sock.__class__ = Shaky
        return sock

    TracedHTTPConnection._new_conn = connecting  # type: ignore[method-assign]


KINDS: dict[str, Callable[[Countdown], None]] = {
    "statement lost": lambda countdown: statements(countdown, after=False),
    "statement's answer lost": lambda countdown: statements(countdown, after=True),
    "COMMIT lost": lambda countdown: commits(countdown, after=False),
    "COMMIT's answer lost": lambda countdown: commits(countdown, after=True),
    "provider's socket lost": lambda countdown: provider_sockets(countdown, after=False),
    "provider's socket lost half-way": lambda countdown: provider_sockets(countdown, after=True),
}

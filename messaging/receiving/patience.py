"""A database that does not answer in time counts as away, also one that says nothing at all."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache, partial
from time import monotonic
from typing import Any

import psycopg
from django.db import OperationalError
from django.db import connection as database

_MINIMUM_S = 0.01
_LATELY_S = 1.0  # a session that was good so short a time ago is not asked again whether it still is

_good = threading.local()  # when this thread's session last was


@contextmanager
def patience(seconds: float) -> Iterator[None]:
    """This thread's statements end within `seconds`, or raise OperationalError and lose their connection."""
    until = monotonic() + seconds
    try:
        if database.connection is not None:
            _limit(until)
            _check()
        if database.connection is None:
            _reach(seconds)
            database.ensure_connection()
            _limit(until)
        yield
        _good.at = monotonic()
    except OperationalError:
        if not database.in_atomic_block:
            database.close()
        raise
    finally:
        _forget_limit()


def _check() -> None:
    """Close the session if it is gone; one that was good lately is taken at its word."""
    wrapper: Any = database
    wrapper.health_check_done |= monotonic() - getattr(_good, "at", -_LATELY_S) < _LATELY_S
    wrapper.close_if_health_check_failed()


def _limit(until: float) -> None:
    raw: Any = database.connection

    def wait(generator: Any, *_interval: Any, **_how: Any) -> Any:
        return type(raw).wait(raw, generator, timeout=max(_MINIMUM_S, until - monotonic()))

    raw.wait = wait


def _forget_limit() -> None:
    if database.connection is not None:
        database.connection.__dict__.pop("wait", None)


def _reach(seconds: float) -> None:
    """Raise unless the database takes a connection in time; libpq itself is never less patient than 2 s."""
    try:
        _strangers().submit(partial(_knock, database.get_connection_params())).result(timeout=seconds)
    except (TimeoutError, psycopg.Error) as error:
        raise OperationalError("the database takes no connection") from error


def _knock(parameters: dict) -> None:
    psycopg.connect(**parameters).close()


@lru_cache(maxsize=1)
def _strangers() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=4, thread_name_prefix="database-knock")

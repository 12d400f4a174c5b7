"""Hints on their way to the broker: one that is away or silent costs a caller 0.3 s, then nothing at all."""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import cache
from typing import Any

import structlog
from celery import Task
from kombu import Connection
from kombu.exceptions import OperationalError
from kombu.pools import producers

from config.celery import app

log = structlog.get_logger()

SILENCE_S = 0.3
BREAK_S = 5.0  # after a failed hint none is tried for so long; beat finds the work anyway
HINT_EXPIRES_S = 30


@dataclass(slots=True)
class _Moments:
    """Of this process, on the monotonic clock."""

    broken_until: float = 0.0


_moments = _Moments()


def publish(task: Task, *args: Any, expires_s: float = HINT_EXPIRES_S) -> None:
    """Raises nothing: the row is the promise, this is a nudge."""
    if time.monotonic() < _moments.broken_until:
        return
    try:
        with producers[_broker()].acquire(block=True, timeout=SILENCE_S) as producer:
            task.apply_async(args, expires=expires_s, retry=False, ignore_result=True, producer=producer)
    except (OperationalError, OSError) as error:
        _moments.broken_until = time.monotonic() + BREAK_S
        log.warning("nudge.failed", task=task.name, error=type(error).__name__)


@cache
def _broker() -> Connection:
    """A connection less patient than the workers' own, which have to wait for the next task."""
    return app.connection_for_write(
        transport_options={"socket_timeout": SILENCE_S, "socket_connect_timeout": SILENCE_S, "retry_on_timeout": False}
    )

"""Hints to the workers, published once the transaction commits. A silent broker costs 0.3 s, then nothing at all."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import structlog
from celery import Task
from django.db import transaction
from kombu.exceptions import OperationalError

from messaging import tasks

log = structlog.get_logger()

BREAK_S = 5.0  # after a failed hint none is tried for so long; beat finds the work anyway
HINT_EXPIRES_S = 30
DIGEST_EVERY_S = 0.2


@dataclass(slots=True)
class _Moments:
    """Of this process, on the monotonic clock."""

    broken_until: float = 0.0
    digest_next: float = 0.0


_moments = _Moments()


def drain(connection_id: int) -> None:
    """Something may be due on this connection."""
    transaction.on_commit(lambda: _publish(tasks.drain, connection_id))


def tick() -> None:
    """A campaign wants to be planned, started or cancelled."""
    transaction.on_commit(lambda: _publish(tasks.tick))


def import_contacts(import_id: int) -> None:
    """A file of people is waiting."""
    transaction.on_commit(lambda: _publish(tasks.import_contacts, import_id))


def digest() -> None:
    """A hook stored something; at most one hint each DIGEST_EVERY_S and process."""
    if time.monotonic() >= _moments.digest_next:
        _moments.digest_next = time.monotonic() + DIGEST_EVERY_S
        transaction.on_commit(lambda: _publish(tasks.digest_all))


def _publish(task: Task, *args: Any) -> None:
    """Raises nothing: the row is the promise, this is a nudge."""
    if time.monotonic() < _moments.broken_until:
        return
    try:
        task.apply_async(args, expires=HINT_EXPIRES_S, retry=False, ignore_result=True)
    except (OperationalError, OSError) as error:
        _moments.broken_until = time.monotonic() + BREAK_S
        log.warning("nudge.failed", task=task.name, error=type(error).__name__)

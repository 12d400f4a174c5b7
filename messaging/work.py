"""The kinds of work that a process does, each with its sign of life: for Celery, timers and `manage.py drain`."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings

from messaging import heart, ingest, sending, ticks
from messaging.alone import alone


def tick() -> dict[str, int]:
    heart.beat("tick")
    return ticks.tick()


def digest() -> int:
    heart.beat("digest")
    return ingest.digest_all()


def send(connection_id: int, *, budget_s: float) -> int:
    heart.beat(heart.sending(connection_id))
    return sending.drain(connection_id, budget_s=budget_s)


def send_in_turn(connection_id: int, *, budget_s: float) -> int:
    """The same on at most DRAINS_PER_CONNECTION processes of this machine: a slow connection leaves some to others."""
    with _slot(connection_id) as free:
        return send(connection_id, budget_s=budget_s) if free else 0


@contextmanager
def _slot(connection_id: int) -> Iterator[bool]:
    """Whether this machine has room for one more drain of the connection; the room is held meanwhile."""
    for number in range(settings.DRAINS_PER_CONNECTION):
        with alone(f"drain.{socket.gethostname()}.{connection_id}.{number}") as mine:
            if mine:
                yield True
                return
    yield False

"""Hints to the workers, published once the transaction commits."""

from __future__ import annotations

import time
from dataclasses import dataclass

from django.db import transaction

from messaging import tasks
from messaging.publishing import publish

DIGEST_EVERY_S = 0.2


@dataclass(slots=True)
class _Moments:
    """Of this process, on the monotonic clock."""

    digest_next: float = 0.0


_moments = _Moments()


def drain(connection_id: int) -> None:
    """Something may be due on this connection."""
    transaction.on_commit(lambda: publish(tasks.drain, connection_id))


def tick() -> None:
    """A campaign wants to be planned, started or cancelled."""
    transaction.on_commit(lambda: publish(tasks.tick))


def deliver_webhooks() -> None:
    """Events wait, for instance because an endpoint was resumed or a delivery is to be repeated."""
    transaction.on_commit(lambda: publish(tasks.deliver_webhooks))


def import_contacts(import_id: int) -> None:
    """A file of people is waiting."""
    transaction.on_commit(lambda: publish(tasks.import_contacts, import_id))


def digest() -> None:
    """A hook stored something; at most one hint each DIGEST_EVERY_S and process."""
    if time.monotonic() >= _moments.digest_next:
        _moments.digest_next = time.monotonic() + DIGEST_EVERY_S
        transaction.on_commit(lambda: publish(tasks.digest_all))

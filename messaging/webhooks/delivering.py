"""Bring events to their receivers, each at least once, always under the same event id.

One thread a request, and results are written by the caller's own: threads touch no database. A receiver that hangs
holds its thread until the deadline, across runs if need be, and delays no other one.
"""

from __future__ import annotations

import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from functools import cache

import structlog

from messaging.clock import db_now
from messaging.models import WebhookDelivery
from messaging.webhooks.bodies import Outgoing, outgoing
from messaging.webhooks.claiming import claim
from messaging.webhooks.posting import Reply, post
from messaging.webhooks.recording import Result, record_apart

THREADS = 64
BREATH_S = 0.05  # how long answers are collected before they are written together

log = structlog.get_logger()


class Deliverer:
    """What one process has in flight."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="webhook")
        self._running: dict[Future[Reply], WebhookDelivery] = {}

    def run(self, *, budget_s: float, to_the_end: bool = False) -> int:
        """Deliver what is due until nothing is or the budget ends; how many answers came.

        What still hangs then stays in flight, for the next run to write down; `to_the_end` waits for it instead.
        """
        until, answered = time.monotonic() + budget_s, 0
        while True:
            in_time = time.monotonic() < until
            begun = self._begin() if in_time else 0
            answered += self._collect()
            if not begun and (not self._running or not (in_time or to_the_end)):
                return answered

    def _begin(self) -> int:
        claimed = claim(THREADS - len(self._running))
        for delivery in claimed:
            written = _write_body(delivery)
            if written is None:
                record_apart([Result(delivery, Reply(error="could not be written"))])
                continue
            self._running[self._pool.submit(post, delivery.endpoint.url, written.body, written.headers)] = delivery
        return len(claimed)

    def _collect(self) -> int:
        if not self._running:
            return 0
        wait(self._running, timeout=BREATH_S, return_when=FIRST_COMPLETED)
        done = [future for future in self._running if future.done()]
        record_apart([_result(self._running.pop(future), future) for future in done])
        return len(done)


def deliver(*, budget_s: float = 10.0, to_the_end: bool = False) -> int:
    """By this process's one deliverer; see Deliverer.run."""
    return _deliverer().run(budget_s=budget_s, to_the_end=to_the_end)


@cache
def _deliverer() -> Deliverer:
    return Deliverer()


def _result(delivery: WebhookDelivery, future: Future[Reply]) -> Result:
    """A post that broke in our own hands is one that failed."""
    try:
        return Result(delivery, future.result())
    except Exception:
        log.exception("webhook.unposted", delivery=delivery.pk)
        return Result(delivery, Reply(error="could not be posted"))


def _write_body(delivery: WebhookDelivery) -> Outgoing | None:
    """None if that fails: one event's trouble is not another's."""
    now = db_now()
    valid = [row.secret for row in delivery.endpoint.secrets.all() if row.expires_at is None or row.expires_at > now]
    try:
        return outgoing(delivery, secrets=valid, now=now)
    except Exception:
        log.exception("webhook.unwritten", delivery=delivery.pk)
        return None

"""A worker's loop: keep a connection's requests in flight, claim and gate more as they end, and record them."""

from __future__ import annotations

import math
import threading
import time
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import structlog
from django.conf import settings
from django.db import InterfaceError, OperationalError, close_old_connections

from messaging.connections import client_for
from messaging.ingest import digest_connection
from messaging.models import Connection
from messaging.models.request import ProviderRequest
from messaging.providers.bulk360 import Bulk360, SendOutcome
from messaging.sending import pace
from messaging.sending.claim import Marks, claim, release
from messaging.sending.gate import gate
from messaging.sending.record import Answered, record

GROUP_S = 0.02  # answers that come this close together are recorded together
RECORD_FOR_S = 60.0  # how long a worker keeps trying to write down an answer
MO_BUDGET_S = 1.0  # for incoming messages before each wave
MAX_WAIT_S = 5.0  # a claim never waits longer for its slots

log = structlog.get_logger()
_marks: dict[int, Marks] = {}
_stopping = threading.Event()


def stop_soon() -> None:
    """Tell every drain of this process to claim nothing more and to finish what is in flight."""
    _stopping.set()


@dataclass(slots=True)
class _Flight:
    """The requests that one drain has in flight, and how well recipients shared them lately."""

    connection: Connection
    pool: ThreadPoolExecutor
    client: Bulk360
    running: dict[Future[SendOutcome], tuple[ProviderRequest, int]] = field(default_factory=dict)
    share: float = 2.0  # recipients a request
    posted: int = 0

    @property
    def free(self) -> int:
        return self.connection.max_in_flight - len(self.running)


def drain(connection_id: int, *, budget_s: float = 30.0) -> int:
    """Send what is due on one connection until nothing is or the budget ends; how many recipients were posted.

    Ends with every answer recorded. A worker that dies on the way leaves claims, which return to the queue, and at most
    its requests in flight, which become unknown.
    """
    connection = Connection.objects.sending().filter(pk=connection_id).first()
    if connection is None:
        return 0
    until = time.monotonic() + budget_s
    with ThreadPoolExecutor(max_workers=connection.max_in_flight, thread_name_prefix="post") as pool:
        flight = _Flight(connection, pool, client_for(connection))
        while True:
            open_ = time.monotonic() < until and not _stopping.is_set()
            moved = _launch(flight) if open_ and flight.free * 4 >= connection.max_in_flight else 0
            if flight.running:
                _collect(flight)
            elif not moved:
                return flight.posted


def _launch(flight: _Flight) -> int:
    """Claim, pace, gate and post as much as is free; how many rows moved on, 0 when nothing is due."""
    connection = flight.connection
    connection.refresh_from_db()
    if connection.state != Connection.State.OK:
        return 0
    flight.client = client_for(connection)
    digest_connection(connection.pk, kind="mo", budget_s=MO_BUDGET_S)  # a STOP that is here already comes first
    marks = _marks.setdefault(connection.pk, Marks())
    marks.forget_if_due(time.monotonic())
    claimed = claim(connection, limit=_wave(flight), marks=marks)
    if not claimed.ids:
        return 0
    slots = pace.reserve(connection, len(claimed.ids))
    if slots.wait_s > MAX_WAIT_S:
        pace.give_back(slots, len(claimed.ids))
        release(claimed.token, claimed.ids)
        return 0
    time.sleep(slots.wait_s)
    passed = gate(connection.pk, claimed, free=flight.free)
    gated_at = time.monotonic()
    pace.give_back(slots, passed.unused)
    offset = 0
    for request, msisdns in passed.requests:
        not_before = gated_at + offset * slots.each_s
        future = flight.pool.submit(_post, flight.client, request, msisdns, connection.sender_id, not_before, gated_at)
        flight.running[future] = (request, len(msisdns))
        offset += len(msisdns)
    if passed.requests:
        flight.share = passed.recipients / len(passed.requests)
    flight.posted += passed.recipients
    return passed.recipients + passed.stopped


def _wave(flight: _Flight) -> int:
    """Rows to claim: what fits into the free requests as they filled lately, at most half a second of the rate."""
    fitting = flight.free * math.ceil(flight.share)
    return max(1, min(fitting, flight.connection.rate_per_s // 2))


def _post(
    client: Bulk360, request: ProviderRequest, msisdns: list[str], sender_id: str, not_before: float, gated_at: float
) -> SendOutcome:
    """In a thread of its own, with no transaction open."""
    time.sleep(max(0.0, not_before - time.monotonic()))
    return client.send(
        msisdns,
        request.text,
        request.channel,
        sender_id=sender_id,
        not_after_monotonic=gated_at + settings.FIRST_BYTE_S,
    )


def _collect(flight: _Flight) -> None:
    """Wait for answers, then record what has come back."""
    wait(flight.running, timeout=1.0, return_when=FIRST_COMPLETED)
    if len(flight.running) > 1:
        time.sleep(GROUP_S)
    answers = []
    for future in [future for future in flight.running if future.done()]:
        request, recipients = flight.running.pop(future)
        answers.append(Answered(request, recipients, future.result(), flight.client))
    _record_surely(answers)


def _record_surely(answers: list[Answered]) -> None:
    """Write the outcomes down, over lost database connections, for a minute; then the reaper calls them unknown."""
    until = time.monotonic() + RECORD_FOR_S
    while True:
        try:
            return record(answers)
        except (OperationalError, InterfaceError) as error:
            if time.monotonic() > until:
                log.error(
                    "sending.record_lost", requests=[one.request.pk for one in answers], error=type(error).__name__
                )
                raise
            close_old_connections()
            time.sleep(0.5)

"""A worker's loop: keep a connection's requests in flight, claim and gate more as they end, and record them."""

from __future__ import annotations

import math
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import structlog
from django.conf import settings
from django.db import Error, close_old_connections

from messaging.connections import client_for
from messaging.ingest import digest_connection
from messaging.models import Connection
from messaging.models.request import ProviderRequest
from messaging.providers.answers import Outcome
from messaging.providers.bulk360 import Bulk360, SendOutcome
from messaging.sending import pace
from messaging.sending.claim import Claim, Marks, claim, release
from messaging.sending.crash_points import crash_point
from messaging.sending.gate import Gated, gate
from messaging.sending.record import Answered, note_balance, record
from messaging.sending.undo import undo

GROUP_S = 0.02  # answers that come this close together are recorded together
WRITE_FOR_S = 60.0  # how long a worker keeps trying to write down what became of its rows
BALANCE_EVERY_S = 5.0  # each answer tells the balance; it is not worth a write each
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
    running: dict[Future[SendOutcome], tuple[ProviderRequest, int, Bulk360]] = field(default_factory=dict)
    share: float = 2.0  # recipients a request
    posted: int = 0
    balance_due: float = 0.0

    @property
    def free(self) -> int:
        return self.connection.max_in_flight - len(self.running)

    @property
    def has_room(self) -> bool:
        """Whether enough is free to be worth the transactions of another wave."""
        return self.free * 4 >= self.connection.max_in_flight


def drain(connection_id: int, *, budget_s: float = 30.0) -> int:
    """Send what is due on one connection until nothing is or the budget ends; how many recipients were posted.

    Ends with every answer recorded. A worker that dies on the way leaves claims, which return to the queue, and at most
    its requests in flight, which become unknown. Raises the database's error that stopped it, once all is recorded.
    """
    connection = Connection.objects.sending().filter(pk=connection_id).first()
    if connection is None:
        return 0
    until = time.monotonic() + budget_s
    trouble: Error | None = None
    with ThreadPoolExecutor(max_workers=connection.max_in_flight, thread_name_prefix="post") as pool:
        flight = _Flight(connection, pool, client_for(connection))
        while True:
            moved = 0
            if not trouble and flight.has_room and time.monotonic() < until and not _stopping.is_set():
                try:
                    moved = _launch(flight)
                except Error as error:
                    trouble = error
            if flight.running:
                _collect(flight)
            elif not moved:
                break
    if trouble:
        raise trouble
    return flight.posted


def _launch(flight: _Flight) -> int:
    """Claim, pace, gate and post as much as is free; how many rows moved on, 0 when nothing is due.

    A database error gives everything back: no byte of it has left.
    """
    connection, token = flight.connection, uuid.uuid4()
    try:
        connection.refresh_from_db()
        if connection.state != Connection.State.OK:
            return 0
        flight.client = client_for(connection)
        digest_connection(connection.pk, kind="mo", budget_s=MO_BUDGET_S)  # a STOP that is here already comes first
        marks = _marks.setdefault(connection.pk, Marks())
        marks.forget_if_due(time.monotonic())
        claimed = claim(connection, limit=_wave(flight), marks=marks, token=token)
        crash_point("after_claim")
        slots = _await_slots(connection, claimed)
        if slots is None:
            return 0
        crash_point("after_slots")
        decided_at = time.monotonic()
        passed = gate(connection.pk, claimed, free=flight.free)
        crash_point("after_intent")
        pace.give_back(slots, passed.unused)
    except Error as error:
        log.warning("sending.launch_failed", connection=connection.pk, error=type(error).__name__)
        _surely(lambda: undo(token))
        raise
    _post_all(flight, passed, slots, decided_at)
    return passed.recipients + passed.stopped


def _await_slots(connection: Connection, claimed: Claim) -> pace.Slots | None:
    """Sleep until the claim's turn; None, and the claim given back, if nothing is claimed or its turn is too far."""
    if not claimed.ids:
        return None
    slots = pace.reserve(connection, len(claimed.ids))
    if slots.wait_s > MAX_WAIT_S:
        pace.give_back(slots, len(claimed.ids))
        release(claimed.token, claimed.ids)
        return None
    time.sleep(slots.wait_s)
    return slots


def _post_all(flight: _Flight, passed: Gated, slots: pace.Slots, decided_at: float) -> None:
    """Hand the requests to the pool, each at its slot; a request whose turn comes too late is not sent."""
    begun, offset = time.monotonic(), 0
    sender_id, last = flight.connection.sender_id, decided_at + settings.FIRST_BYTE_S
    for request, msisdns in passed.requests:
        not_before = begun + offset * slots.each_s
        future = flight.pool.submit(_post, flight.client, request, msisdns, sender_id, not_before, last)
        flight.running[future] = (request, len(msisdns), flight.client)
        offset += len(msisdns)
    if passed.requests:
        flight.share = passed.recipients / len(passed.requests)
    flight.posted += passed.recipients


def _wave(flight: _Flight) -> int:
    """Rows to claim: what fits into the free requests as they filled lately, at most half a second of the rate."""
    fitting = flight.free * math.ceil(flight.share)
    return max(1, min(fitting, flight.connection.rate_per_s // 2))


def _post(
    client: Bulk360, request: ProviderRequest, msisdns: list[str], sender_id: str, not_before: float, last: float
) -> SendOutcome:
    """In a thread of its own, with no transaction open. `last` is the latest moment for the first byte."""
    time.sleep(max(0.0, not_before - time.monotonic()))
    crash_point("before_post")
    outcome = client.send(msisdns, request.text, request.channel, sender_id=sender_id, not_after_monotonic=last)
    crash_point("after_response")
    return outcome


def _collect(flight: _Flight) -> None:
    """Wait for answers, then record what has come back."""
    wait(flight.running, timeout=1.0, return_when=FIRST_COMPLETED)
    if len(flight.running) > 1:
        time.sleep(GROUP_S)
    answers = []
    for future in [future for future in flight.running if future.done()]:
        request, recipients, client = flight.running.pop(future)  # whose credentials may have been replaced by now
        answers.append(Answered(request, recipients, _outcome(future), client))
    crash_point("before_record")
    _surely(lambda: record(answers))
    crash_point("after_record")
    if answers and time.monotonic() > flight.balance_due:
        flight.balance_due = time.monotonic() + BALANCE_EVERY_S
        note_balance(answers)


def _outcome(future: Future[SendOutcome]) -> SendOutcome:
    """The client answers with a value whatever happens; should it ever raise, nobody knows what left."""
    error = future.exception()
    if error is None:
        return future.result()
    log.error("sending.client_failed", error=repr(error))
    return SendOutcome(
        outcome=Outcome.UNKNOWN, refusal_scope=None, stop=None, http_status=None, code=None, desc="", ref="",
        currency="", balance=None, error=type(error).__name__, elapsed_s=0.0,
    )  # fmt: skip


def _surely(write: Callable[[], None]) -> None:
    """Write over lost database connections, for a minute; after that the reaper has the last word."""
    until = time.monotonic() + WRITE_FOR_S
    while True:
        try:
            return write()
        except Error as error:
            if time.monotonic() > until:
                log.error("sending.write_lost", error=type(error).__name__)
                raise
            close_old_connections()
            time.sleep(0.5)

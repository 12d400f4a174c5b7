"""A worker's loop: keep a connection's requests in flight, claim and gate more as they end, and record them."""

from __future__ import annotations

import math
import queue
import time
import uuid
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog
from django.conf import settings
from django.db import Error, close_old_connections

from config.told import Told
from messaging import heart
from messaging.connections import client_for
from messaging.ingest import digest_connection, is_waiting
from messaging.models import Connection
from messaging.models.request import ProviderRequest
from messaging.providers.answers import Outcome
from messaging.providers.bulk360 import Bulk360, SendOutcome
from messaging.restoring import same_database
from messaging.sending import breaker, pace
from messaging.sending.claim import Claim, Marks, claim, release
from messaging.sending.crash_points import crash_point
from messaging.sending.gate import Gated, gate
from messaging.sending.record import Answered, note_balance, record
from messaging.sending.undo import undo

GROUP_S = 0.02  # answers that come this close together are recorded together
WRITE_FOR_S = 60.0  # how long a worker keeps trying to write down what became of its rows
HEARTBEAT_S = 2.0
BALANCE_EVERY_S = 5.0  # each answer tells the balance; it is not worth a write each
MO_BUDGET_S = 1.0  # for incoming messages before each wave
MAX_WAIT_S = 5.0  # a claim never waits longer for its slots
PATIENCE_S = 0.2  # a wave waits no longer for slow answers once a quarter of the requests is free
LOOK_S = 0.1  # how often it looks
LEAD_S = 0.1  # the gate works so long before a wave's turn; its requests leave at their slots
MAX_HOLD_S = 10.0  # nor for requests to end: other workers may be free, and its lease is 30 s
MOST_IN_FLIGHT = 256  # of any connection

Ended = queue.SimpleQueue[tuple[int, Future[SendOutcome]]]  # requests by id, in the order in which they came back

log = structlog.get_logger()
_marks: dict[int, Marks] = {}
_breakers: dict[int, breaker.Breaker] = {}
_shares: dict[int, float] = {}  # of the last drain: a wave that claims too much leaves slots that nobody can use
_stopping = Told()  # by a signal handler
_pool = ThreadPoolExecutor(MOST_IN_FLIGHT, thread_name_prefix="post")  # its threads keep their connections alive


def stop_soon() -> None:
    """Tell every drain of this process to claim nothing more and to finish what is in flight."""
    _stopping.set()


@dataclass(frozen=True, slots=True)
class _Wave:
    """Rows claimed ahead, while the requests before them are still out, and the slots that they wait for."""

    claim: Claim
    slots: pace.Slots
    claimed_at: float
    turn_at: float


@dataclass(frozen=True, slots=True)
class _Posted:
    """A request that is out, and the client that sent it: its credentials may have been replaced meanwhile."""

    request: ProviderRequest
    recipients: int
    client: Bulk360


@dataclass(slots=True)
class _Flight:
    """The requests that one drain has in flight, what it will send next, and how well recipients shared them lately."""

    connection: Connection
    client: Bulk360
    breaker: breaker.Breaker
    running: dict[int, _Posted] = field(default_factory=dict)
    ended: Ended = field(default_factory=queue.SimpleQueue)
    answers: list[Answered] = field(default_factory=list)  # not yet recorded
    next: _Wave | None = None
    share: float = 1.0  # recipients a request
    answer_s: float = 0.0  # what the provider's answers took lately
    work_s: float = 0.0  # what a wave's transactions took lately
    launched_at: float = 0.0
    posted: int = 0
    heartbeat_due: float = field(default_factory=lambda: time.monotonic() + HEARTBEAT_S)
    balance_due: float = 0.0
    exhausted: bool = False  # nothing is due, or nothing of it may go

    @property
    def most(self) -> int:
        """Requests that may be out at once; while the breaker is open, one asks whether the provider is well."""
        return 1 if self.breaker.open else self.connection.max_in_flight

    @property
    def free(self) -> int:
        return self.breaker.room(self.connection.max_in_flight - len(self.running), len(self.running))

    @property
    def room(self) -> int:
        """How many requests make a wave: as many as there may be, or half, in turns, where answers take longer than
        a wave's own transactions.
        """
        in_turns = self.answer_s > self.work_s
        return math.ceil(self.most / 2) if in_turns else self.most

    @property
    def is_over(self) -> bool:
        return not (self.running or self.answers or self.next)

    @property
    def wave_is_due(self) -> bool:
        now = time.monotonic()
        if self.next is None or now < self.next.turn_at - LEAD_S:
            return False
        late = now > self.launched_at + PATIENCE_S and self.free * 4 >= self.most
        return late or self.free >= self.room


def drain(connection_id: int, *, budget_s: float = 30.0) -> int:
    """Send what is due on one connection until nothing is or the budget ends; how many recipients were posted.

    Ends with every answer recorded. A worker that dies on the way leaves claims, which return to the queue, and at most
    `max_in_flight` requests, which become unknown. Raises the error that stopped it, once all is recorded.
    """
    connection = Connection.objects.sending().filter(pk=connection_id).first()
    if connection is None:
        return 0
    flight = _Flight(connection, client_for(connection), _breakers.setdefault(connection_id, breaker.Breaker()))
    flight.share = _shares.get(connection_id, flight.share)
    until = time.monotonic() + budget_s
    trouble: Exception | None = None
    while True:
        gives_up = bool(trouble) or _stopping.is_set()
        goes_on = not gives_up and time.monotonic() < until
        try:
            if gives_up:
                _give_up(flight)
            _send_more(flight, goes_on)
        except Exception as error:  # noqa: BLE001  (what is in flight is seen out first; raised below)
            trouble = error
        _record(flight)
        if flight.is_over and (trouble or not goes_on or flight.exhausted):
            break
        _collect(flight)
    if trouble:
        raise trouble
    return flight.posted


def _send_more(flight: _Flight, goes_on: bool) -> None:
    """Gate and post the claimed wave once there is room, then claim the one after it while these requests are out.

    Out of time it claims no more, but what is claimed goes: slots with others' behind them could not be given back.
    What has come back is recorded before that: it may have a say in what follows, and a worker that dies leaves no more
    unknown than it may have in flight.
    """
    if flight.next and time.monotonic() - flight.next.claimed_at > MAX_HOLD_S:
        _give_up(flight)
    _record(flight)
    if flight.wave_is_due:
        _launch(flight)
    if goes_on and not flight.next and not flight.exhausted:
        flight.next = _claim(flight)
        flight.exhausted = flight.next is None


def _claim(flight: _Flight) -> _Wave | None:
    """Claim and pace what a wave holds; None, and nothing claimed, if nothing is due or its turn is too far."""
    connection, token = flight.connection, uuid.uuid4()
    if not flight.free and flight.breaker.open:
        return None
    try:
        _beat(flight)
        if not same_database():
            return None
        marks = _marks.setdefault(connection.pk, Marks())
        marks.forget_if_due(time.monotonic())
        claimed = claim(connection, limit=_size(flight), marks=marks, token=token)
        if not claimed.ids:
            return None
        crash_point("after_claim")
        slots = pace.reserve(connection, len(claimed.ids))
        crash_point("after_slots")
        now = time.monotonic()
        wave = _Wave(claimed, slots, now, now + slots.wait_s)
        if slots.wait_s <= MAX_WAIT_S:
            return wave
        _return(wave)
    except Error as error:
        log.warning("sending.claim_failed", connection=connection.pk, error=type(error).__name__)
        _surely(lambda: undo(token))
        raise
    return None


def _beat(flight: _Flight) -> None:
    """Who sees no sign of life for some seconds comes to help."""
    if time.monotonic() > flight.heartbeat_due:
        flight.heartbeat_due = time.monotonic() + HEARTBEAT_S
        heart.beat(heart.sending(flight.connection.pk))


def _size(flight: _Flight) -> int:
    """Rows to claim: what fits into a wave's requests as they filled lately, at most half a second of the rate."""
    if flight.breaker.open:
        return 1
    return max(1, min(flight.room * math.ceil(flight.share), flight.connection.rate_per_s // 2))


def _give_up(flight: _Flight) -> None:
    """Return the claimed wave unsent; nothing is counted against it."""
    wave, flight.next = flight.next, None
    if wave:
        _surely(lambda: _return(wave))


def _return(wave: _Wave) -> None:
    pace.give_back(wave.slots, len(wave.claim.ids))
    release(wave.claim.token, wave.claim.ids)


def _launch(flight: _Flight) -> None:
    """Gate and post the claimed wave. A database error gives everything back: no byte of it has left."""
    wave, flight.next = flight.next, None
    assert wave is not None
    connection = flight.connection
    try:
        if is_waiting(connection.pk, kind="mo"):  # a STOP that is here already comes first
            digest_connection(connection.pk, kind="mo", budget_s=MO_BUDGET_S)
        decided_at = time.monotonic()
        passed = gate(connection.pk, wave.claim, free=flight.free)
        crash_point("after_intent")
        pace.give_back(wave.slots, passed.unused)
    except Error as error:
        log.warning("sending.launch_failed", connection=connection.pk, error=type(error).__name__)
        _surely(lambda: undo(wave.claim.token))
        raise
    flight.connection, flight.client = passed.connection, client_for(passed.connection)
    flight.launched_at = time.monotonic()
    flight.work_s = flight.launched_at - decided_at
    _post_all(flight, passed, wave, decided_at)
    flight.exhausted = not (passed.recipients or passed.stopped)


def _post_all(flight: _Flight, passed: Gated, wave: _Wave, decided_at: float) -> None:
    """Hand the requests to the pool, each at its slot; a request whose turn comes too late is not sent."""
    offset = 0
    last = decided_at + settings.FIRST_BYTE_S
    for request, msisdns in passed.requests:
        flight.running[request.pk] = _Posted(request, len(msisdns), flight.client)
        not_before = wave.turn_at + offset * wave.slots.each_s
        future = _submit(flight.client, request, msisdns, flight.connection.sender_id, not_before, last)
        future.add_done_callback(partial(_put, flight.ended, request.pk))
        offset += len(msisdns)
    if passed.requests:
        flight.share = _shares[flight.connection.pk] = passed.recipients / len(passed.requests)
    flight.posted += passed.recipients


def _submit(*arguments: Any) -> Future[SendOutcome]:
    """Where no thread can be started the pool may have queued the request all the same: nobody knows if it leaves."""
    try:
        return _pool.submit(_post, *arguments)
    except RuntimeError as error:
        nobody_knows = Future[SendOutcome]()
        nobody_knows.set_exception(error)
        return nobody_knows


def _post(
    client: Bulk360, request: ProviderRequest, msisdns: list[str], sender_id: str, not_before: float, last: float
) -> SendOutcome:
    """In a thread of its own, with no transaction open. `last` is the latest moment for the first byte."""
    time.sleep(max(0.0, not_before - time.monotonic()))
    crash_point("before_post")
    outcome = client.send(msisdns, request.text, request.channel, sender_id=sender_id, not_after_monotonic=last)
    crash_point("after_response")
    return outcome


def _put(ended: Ended, pk: int, future: Future[SendOutcome]) -> None:
    ended.put((pk, future))


def _collect(flight: _Flight) -> None:
    """Wait until answers are there, a moment longer for those close behind, or until the next wave's turn."""
    if not flight.running:
        if flight.next:
            time.sleep(max(0.0, min(1.0, flight.next.turn_at - LEAD_S - time.monotonic())))
        return
    until = time.monotonic() + (LOOK_S if flight.next else 1.0)
    while flight.running:
        try:
            pk, future = flight.ended.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            return
        if not flight.answers:
            until = min(until, time.monotonic() + GROUP_S)
        posted, outcome = flight.running.pop(pk), _outcome(future)
        flight.answer_s = outcome.elapsed_s
        flight.answers.append(Answered(posted.request, posted.recipients, outcome, posted.client))
        if flight.wave_is_due and flight.ended.empty():
            return


def _record(flight: _Flight) -> None:
    answers, flight.answers = flight.answers, []
    if not answers:
        return
    crash_point("before_record")
    _surely(lambda: record(answers))
    crash_point("after_record")
    if flight.breaker.note(one.outcome for one in answers):
        _surely(lambda: breaker.tell(flight.connection.pk, is_open=flight.breaker.open))
    if flight.breaker.open:
        _give_up(flight)
    flight.exhausted = False  # some of it may be due again, or a wait be over
    if flight.is_over or time.monotonic() > flight.balance_due:
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

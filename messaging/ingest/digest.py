"""The reader of received calls: in order of receipt, one reader a connection and kind, MOs before DNs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from time import monotonic

import structlog
from django.db import Error, OperationalError, transaction

from config.statements import prepared_cursor
from messaging.clock import db_now
from messaging.ingest.consequences import stop_if_without_credit
from messaging.ingest.dn import take_dns
from messaging.ingest.mo import take_mos
from messaging.ingest.parked import retry
from messaging.ingest.rows import RawCall
from messaging.ingest.turns import my_turn
from messaging.models import Connection, DeliveryNotice, InboundRaw

Kind = InboundRaw.Kind
AT_ONCE = {Kind.DN: 1_000, Kind.MO: 1}  # an MO locks its person first, and people are locked in order of id
BUDGET_S = 20.0

WAITING_SQL = """
SELECT id, query, content_type, body, received_at FROM messaging_inboundraw
WHERE connection_id = %s AND kind = %s AND digested_at IS NULL ORDER BY received_at, id LIMIT %s
"""
IS_WAITING_SQL = """
SELECT EXISTS (SELECT FROM messaging_inboundraw WHERE connection_id = %s AND kind = %s AND digested_at IS NULL)
"""
READ_SQL = """
UPDATE messaging_inboundraw r SET digested_at = %s::timestamptz, problem = read.problem
FROM unnest(%s::bigint[], %s::text[]) AS read(id, problem) WHERE r.id = read.id
"""

log = structlog.get_logger(__name__)


def digest_all(*, budget_s: float = BUDGET_S) -> int:
    """Read what all hooks received until nothing is left or the budget ends; how many calls it was.

    All MOs come before the next batch of DNs, so that a STOP never queues behind a backlog.
    """
    until, total = monotonic() + budget_s, 0
    while True:
        connections = list(Connection.objects.values_list("pk", flat=True))
        read = sum(_forgiving(pk, Kind.MO, until) for pk in connections)
        read += sum(_forgiving(pk, Kind.DN, 0) for pk in connections)
        total += read
        if not read or monotonic() >= until:
            return total


def digest_connection(connection_id: int, *, kind: str, budget_s: float = BUDGET_S) -> int:
    """Read one connection's calls of one kind; how many. 0 also while somebody else reads them."""
    return _digest_until(connection_id, Kind(kind), monotonic() + budget_s)


def is_waiting(connection_id: int, *, kind: str) -> bool:
    """Whether a call of this kind waits to be read: cheaper to ask than to take one's turn."""
    with prepared_cursor() as cursor:
        cursor.execute(IS_WAITING_SQL, [connection_id, kind])
        return cursor.fetchone()[0]


def _forgiving(connection_id: int, kind: Kind, until: float) -> int:
    """One connection's trouble is not another's; the next tick tries again."""
    try:
        return _digest_until(connection_id, kind, until)
    except Error:
        log.exception("digest.failed", connection=connection_id, kind=kind)
        return 0


def _digest_until(connection_id: int, kind: Kind, until: float) -> int:
    """One batch at least."""
    total = 0
    while read := _digest_batch(connection_id, kind):
        total += read
        if monotonic() >= until:
            break
    return total


def _digest_batch(connection_id: int, kind: Kind) -> int:
    with transaction.atomic():
        if not my_turn(connection_id, kind):
            return 0
        raws = _waiting(connection_id, kind)
        if not raws:
            return 0
        connection = Connection.objects.defer("app_secret").get(pk=connection_id)
        now = db_now()
        _read(connection, kind, raws, now)
    if kind is Kind.DN:
        stop_if_without_credit(connection, since=raws[0].received_at, now=now)
        _settle_with_parked(connection, raws[0].received_at, now)
    return len(raws)


def _settle_with_parked(connection: Connection, since: datetime, now: datetime) -> None:
    """A DN that found no request may be the answer that an unknown one waits for: at once, not at the next tick."""
    parked = DeliveryNotice.objects.filter(connection=connection, state=DeliveryNotice.State.PARKED)
    if parked.filter(received_at__gte=since).exists():
        retry(connection, now)


def _waiting(connection_id: int, kind: Kind) -> list[RawCall]:
    with prepared_cursor() as cursor:
        cursor.execute(WAITING_SQL, [connection_id, kind, AT_ONCE[kind]])
        return [RawCall(*row) for row in cursor.fetchall()]


def _read(connection: Connection, kind: Kind, raws: Sequence[RawCall], now: datetime) -> None:
    """Read them together, or one by one if one of them breaks the others' batch: that one is marked and left behind."""
    take = take_dns if kind is Kind.DN else take_mos
    try:
        with transaction.atomic():
            take(connection, raws, now=now)
            _mark_read(raws, now)
    except OperationalError:  # a deadlock, a lost connection: nobody's fault in here
        raise
    except Exception as error:
        if len(raws) > 1:
            for raw in raws:
                _read(connection, kind, [raw], now)
            return
        log.exception("digest.unreadable", raw=raws[0].id)
        raws[0].problem = f"could not be read: {type(error).__name__}"
        _mark_read(raws, now)


def _mark_read(raws: Sequence[RawCall], now: datetime) -> None:
    with prepared_cursor() as cursor:
        cursor.execute(READ_SQL, [now, [raw.id for raw in raws], [raw.problem[:200] for raw in raws]])

"""The look before anything is sent: another database than the one we knew freezes every connection."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import structlog
from django.db import connection as database
from django.db import transaction

from messaging.clock import db_now
from messaging.connections import freeze_connection
from messaging.models import Birthmark, Connection, KnownDatabase
from messaging.restoring import witness
from messaging.restoring.identity import WORDS, Seen, describe, look

log = structlog.get_logger(__name__)
LOCK_SQL = "SELECT pg_advisory_xact_lock(hashtextextended('messaging.restoring', 0))"


def same_database() -> bool:
    """Whether this is the database that we knew. If not, all connections are frozen when this returns.

    The first look at a new installation makes it known.
    """
    seen = look()
    why = _why_not(seen)
    if seen.known is None or why:
        return _settle()
    witness.remember(seen.facts, seen.epoch)
    return True


def _why_not(seen: Seen) -> list[str]:
    """Keys of WORDS; empty where nothing speaks against it."""
    memory = witness.recall()
    older = seen.known is not None and memory is not None and memory.contradicts(seen.facts, seen.epoch)
    return seen.differences() + (["older"] if older else [])


@transaction.atomic
def _settle() -> bool:
    """One process at a time, and only if nobody was quicker."""
    with database.cursor() as cursor:
        cursor.execute(LOCK_SQL)
    seen, now = look(), db_now()
    why = _why_not(seen)
    if why or seen.known is None:
        seen = _make_known(seen, now, lost=bool(why))
    if why:
        _freeze_all(why, now)
    facts, epoch = seen.facts, seen.epoch
    transaction.on_commit(lambda: witness.remember(facts, epoch))
    return not why


def _freeze_all(why: Sequence[str], now: datetime) -> None:
    log.error("database.restored", why=why)
    detail = " ".join(str(WORDS[word]) for word in why)
    for connection_id in Connection.objects.order_by("pk").values_list("pk", flat=True):
        freeze_connection(connection_id=connection_id, detail=detail, now=now)


def _make_known(seen: Seen, now: datetime, *, lost: bool) -> Seen:
    """From here on it is the one we know; what is frozen stays so until people have looked."""
    Birthmark.objects.get_or_create(pk=1)
    memory = witness.recall()
    epoch = max(1, seen.epoch, memory.epoch if memory else 0) + lost
    facts = look().facts
    values = describe(facts) | {"epoch": epoch, "seen_at": now, "lost_since": _lost_since()}
    KnownDatabase.objects.update_or_create(pk=1, defaults=values)
    return look()


def _lost_since() -> datetime | None:
    """When the backup last saw itself alive; where people have not decided about an earlier restore, that one's."""
    before = KnownDatabase.objects.filter(pk=1).first()
    undecided = Connection.objects.filter(state=Connection.State.FROZEN).exists()
    if before is None:
        return None
    return before.lost_since if undecided and before.lost_since else before.seen_at

"""Rows that wait for the clock or for the person: woken into the queue, where the gate decides them again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection as database
from django.db import transaction

from messaging.policy import SESSION_WINDOW

CHUNK = 5_000

QUEUE = "UPDATE messaging_message SET send_state = 'queued', held_for = '', held_until = NULL, due_at = NULL"
BY_CLOCK_SQL = f"""{QUEUE} WHERE id IN (
    SELECT id FROM messaging_message
    WHERE send_state = 'held' AND held_for = 'quiet_hours' AND held_until <= %(now)s
    ORDER BY id LIMIT %(chunk)s FOR NO KEY UPDATE SKIP LOCKED)"""
BY_WINDOW_SQL = f"""{QUEUE} WHERE id IN (
    SELECT m.id FROM messaging_connection n
    JOIN messaging_conversation w ON w.connection_id = n.id AND w.channel = 'whatsapp'
    JOIN messaging_message m ON m.contact_id = w.contact_id AND m.connection_id = w.connection_id
    WHERE m.send_state = 'held' AND m.held_for = 'until_reply' AND w.last_mo_at >= %(opened)s
      AND w.last_mo_at >= %(opened)s + make_interval(secs => n.window_margin_s)
    ORDER BY m.id LIMIT %(chunk)s FOR NO KEY UPDATE OF m SKIP LOCKED)"""
BY_REPLY_SQL = f"""{QUEUE}, timeline_at = %s WHERE id IN (
    SELECT id FROM messaging_message
    WHERE send_state = 'held' AND held_for = 'until_reply' AND contact_id = %s AND connection_id = %s
    ORDER BY id FOR NO KEY UPDATE)"""
# In the order of its index: by id the planner walks through the table for the first that is late.
EXPIRE_SQL = """
WITH late AS MATERIALIZED (
    SELECT id FROM messaging_message WHERE send_state IN ('queued', 'held') AND not_after < %(now)s
    ORDER BY not_after LIMIT %(chunk)s)
UPDATE messaging_message
SET send_state = 'expired', reason = 'expired', held_for = '', held_until = NULL
WHERE id IN (SELECT id FROM messaging_message WHERE id IN (SELECT id FROM late) AND send_state IN ('queued', 'held')
             ORDER BY id FOR NO KEY UPDATE SKIP LOCKED)"""


def wake(now: datetime) -> int:
    """Tick: queue what was held for quiet hours that are over, or until a reply that has come."""
    return _run(BY_CLOCK_SQL, now) + _run(BY_WINDOW_SQL, now, opened=now - SESSION_WINDOW)


def wake_held(*, contact_id: int, connection_id: int, now: datetime) -> int:
    """The person wrote: queue what was held until they do. Called in the MO's own transaction."""
    with database.cursor() as cursor:
        cursor.execute(BY_REPLY_SQL, [now, contact_id, connection_id])
        return cursor.rowcount


def expire(now: datetime) -> int:
    """Tick: what may not leave any more says so, also where nobody would look at it."""
    return _run(EXPIRE_SQL, now)


def _run(sql: str, now: datetime, **params: Any) -> int:
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(sql, {"now": now, "chunk": CHUNK, **params})
        return cursor.rowcount

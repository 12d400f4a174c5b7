"""Old events go, and what waits for nobody is given up."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection as database
from django.db import transaction

from messaging.webhooks.claiming import HEARD_SQL

KEPT_FOR = timedelta(days=30)
CHUNK = 5_000

# Of endpoints that ended, and of ones that are paused, or may not hear it, for so long that the event itself goes.
GIVE_UP_SQL = f"""
UPDATE messaging_webhookdelivery SET state = 'given_up', lease_until = NULL, lease_token = NULL
WHERE id IN (
    SELECT d.id FROM messaging_webhookendpoint e
    JOIN messaging_webhookdelivery d ON d.endpoint_id = e.id AND d.state = 'waiting'
    WHERE e.state = 'disabled' OR (d.next_at < %(before)s AND (e.state = 'paused' OR NOT {HEARD_SQL}))
    ORDER BY d.id LIMIT %(chunk)s FOR NO KEY UPDATE OF d SKIP LOCKED)
"""
# A message that may still change keeps its events: they hold the number of the next one.
FORGET_SQL = """
WITH old AS MATERIALIZED (
    SELECT e.id FROM messaging_outboxevent e LEFT JOIN messaging_message m ON m.id = e.message_id
    WHERE e.at < %(before)s
      AND coalesce(m.send_state, '') NOT IN ('held', 'queued', 'claimed', 'sending', 'unknown', 'stuck')
      AND NOT EXISTS (SELECT FROM messaging_webhookdelivery d WHERE d.event_id = e.id AND d.state = 'waiting')
    ORDER BY e.at LIMIT %(chunk)s
), attempts AS (
    DELETE FROM messaging_webhookattempt WHERE delivery_id IN (
        SELECT d.id FROM messaging_webhookdelivery d JOIN old ON old.id = d.event_id)
), deliveries AS (
    DELETE FROM messaging_webhookdelivery WHERE event_id IN (SELECT id FROM old)
)
DELETE FROM messaging_outboxevent WHERE id IN (SELECT id FROM old)
"""


def tidy(now: datetime) -> int:
    """Tick: how many deliveries were given up and events deleted."""
    return _run(GIVE_UP_SQL, now) + _run(FORGET_SQL, now)


def _run(sql: str, now: datetime) -> int:
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(sql, {"before": now - KEPT_FOR, "chunk": CHUNK})
        return cursor.rowcount

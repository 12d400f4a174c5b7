"""Which deliveries go next. Each goes to one process, and no receiver gets more than it may have at once."""

from __future__ import annotations

import uuid
from collections.abc import Sequence

from django.db import connection as database
from django.db import transaction

from messaging.models import WebhookDelivery

LEASE_S = 25  # longer than one exchange; what a dead process had in hand is due again after it
AT_ONCE, AT_ONCE_WHILE_FAILING = 4, 1  # for one receiver: one that hangs holds one thread, once that is known

# What a client may not hear any more waits, until it may again or the event goes.
HEARD_SQL = """(e.client_id IS NULL OR messaging_client_hears(
    e.client_id, (SELECT type FROM messaging_outboxevent o WHERE o.id = d.event_id)))"""
# The endpoints' rows are locked first, so that the next statement counts what every other process has in flight.
DUE_SQL = f"""
SELECT e.id FROM messaging_webhookendpoint e
WHERE e.state = 'active' AND (e.quiet_until IS NULL OR e.quiet_until <= clock_timestamp()) AND EXISTS (
    SELECT FROM messaging_webhookdelivery d
    WHERE d.endpoint_id = e.id AND d.state = 'waiting' AND d.next_at <= clock_timestamp()
      AND (d.lease_until IS NULL OR d.lease_until <= clock_timestamp()) AND {HEARD_SQL})
"""
ENDPOINTS_SQL = f"{DUE_SQL} ORDER BY random() LIMIT %(limit)s FOR NO KEY UPDATE SKIP LOCKED"
CLAIM_SQL = f"""
WITH due AS MATERIALIZED (
    SELECT d.id FROM (
        SELECT e.id, e.client_id, CASE WHEN e.failing_since IS NULL THEN %(cap)s ELSE %(failing_cap)s END - (
            SELECT count(*) FROM messaging_webhookdelivery f
            WHERE f.endpoint_id = e.id AND f.lease_until > clock_timestamp()) AS room
        FROM messaging_webhookendpoint e WHERE e.id = ANY (%(endpoints)s)
    ) AS e, LATERAL (
        SELECT d.id FROM messaging_webhookdelivery d
        WHERE d.endpoint_id = e.id AND d.state = 'waiting' AND d.next_at <= clock_timestamp()
          AND (d.lease_until IS NULL OR d.lease_until <= clock_timestamp()) AND {HEARD_SQL}
        ORDER BY d.next_at, d.id LIMIT greatest(e.room, 0) FOR NO KEY UPDATE OF d SKIP LOCKED
    ) AS d LIMIT %(limit)s)
UPDATE messaging_webhookdelivery d
SET lease_token = %(token)s, lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
FROM due WHERE d.id = due.id RETURNING d.id
"""


def any_due() -> bool:
    """Whether some receiver waits for something now."""
    with database.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS ({DUE_SQL})")
        return bool(cursor.fetchone()[0])


def claim(limit: int) -> Sequence[WebhookDelivery]:
    """At most `limit` due deliveries, leased to the caller, each with all that its body is written from."""
    if limit <= 0:
        return []
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(ENDPOINTS_SQL, {"limit": limit})
        endpoints = [row[0] for row in cursor.fetchall()]
        if not endpoints:
            return []
        cursor.execute(
            CLAIM_SQL,
            {
                "endpoints": endpoints,
                "limit": limit,
                "cap": AT_ONCE,
                "failing_cap": AT_ONCE_WHILE_FAILING,
                "token": uuid.uuid4(),
                "lease_s": LEASE_S,
            },
        )
        ids = [row[0] for row in cursor.fetchall()]
    rows = WebhookDelivery.objects.filter(pk__in=ids).select_related("endpoint", "event__message", "event__contact")
    return list(rows.prefetch_related("endpoint__secrets").order_by("pk"))

"""What a dead worker left behind: claims go back to the queue, what was being sent becomes unknown. Idempotent."""

from __future__ import annotations

from datetime import datetime

from django.db import connection as database
from django.db import transaction

from messaging.models import Incident, Message
from messaging.sending.crash_points import crash_point

CHUNK = 5_000
STUCK_AFTER = 3  # claims lost: in company, with a few others, alone

CLAIMS_SQL = """
UPDATE messaging_message m
SET send_state = CASE WHEN m.claims_lost + 1 >= %(stuck)s THEN 'stuck' ELSE 'queued' END,
    claims_lost = m.claims_lost + 1, claim_token = NULL, lease_until = NULL
WHERE m.id IN (SELECT id FROM messaging_message WHERE send_state = 'claimed' AND lease_until < %(now)s
               ORDER BY id LIMIT %(chunk)s FOR NO KEY UPDATE SKIP LOCKED)
RETURNING m.id, m.connection_id, m.send_state
"""
LOST_SQL = """
WITH lost AS MATERIALIZED (
    SELECT id FROM messaging_message WHERE send_state = 'sending' AND lease_until < %(now)s
    ORDER BY id LIMIT %(chunk)s FOR NO KEY UPDATE SKIP LOCKED
), recipients AS (
    UPDATE messaging_requestrecipient t SET outcome = 'unknown', resolved_by = 'lease', resolved_at = %(now)s
    FROM lost WHERE t.message_id = lost.id AND t.outcome = 'in_flight' RETURNING t.request_id
), requests AS (
    UPDATE messaging_providerrequest r SET outcome = 'unknown', resolved_by = 'lease'
    WHERE r.id IN (SELECT request_id FROM recipients) AND r.outcome = 'in_flight'
)
UPDATE messaging_message m SET send_state = 'unknown', lease_until = NULL FROM lost WHERE m.id = lost.id
"""


def reap(now: datetime) -> int:
    """Tick: how many rows were taken from workers that did not come back."""
    return _reap_claims(now) + _reap_sending(now)


def _reap_claims(now: datetime) -> int:
    with transaction.atomic():
        with database.cursor() as cursor:
            cursor.execute(CLAIMS_SQL, {"now": now, "chunk": CHUNK, "stuck": STUCK_AFTER})
            rows = cursor.fetchall()
        for connection_id in {connection for _, connection, state in rows if state == "stuck"}:
            Incident.objects.get_or_create(
                connection_id=connection_id,
                campaign=None,
                kind=Incident.Kind.STUCK,
                closed_at=None,
                defaults={"opened_at": now, "detail": _stuck_words(connection_id)},
            )
    return len(rows)


def _stuck_words(connection_id: int) -> str:
    stuck = Message.objects.filter(connection=connection_id, send_state="stuck").values_list("public_id", flat=True)[:5]
    return "Messages that broke their worker three times: " + ", ".join(str(public_id) for public_id in stuck)


def _reap_sending(now: datetime) -> int:
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(LOST_SQL, {"now": now, "chunk": CHUNK})
        crash_point("in_reaper")
        return cursor.rowcount

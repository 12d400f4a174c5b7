"""Give back all rows of a claim whose worker knows that no byte of them has left."""

from __future__ import annotations

import uuid

from django.db import connection as database
from django.db import transaction

MESSAGES_SQL = """
UPDATE messaging_message SET send_state = 'queued', claim_token = NULL, lease_until = NULL
WHERE id IN (SELECT id FROM messaging_message WHERE claim_token = %s AND send_state IN ('claimed', 'sending')
             AND lease_until IS NOT NULL ORDER BY id FOR NO KEY UPDATE)
"""
REQUESTS_SQL = """
WITH given_back AS (
    UPDATE messaging_providerrequest
    SET outcome = 'not_sent', resolved_by = 'response', answered_at = clock_timestamp(),
        error = 'given back before the first byte'
    WHERE token = %s AND outcome = 'in_flight' RETURNING id)
UPDATE messaging_requestrecipient t SET outcome = 'not_sent', resolved_by = 'response', resolved_at = clock_timestamp()
FROM given_back WHERE t.request_id = given_back.id AND t.outcome = 'in_flight'
"""


def undo(token: uuid.UUID) -> None:
    """Claimed or just past the gate, as its lost COMMIT may have left them: all return to the queue, uncounted."""
    with transaction.atomic(), database.cursor() as cursor:
        cursor.execute(MESSAGES_SQL, [token])
        cursor.execute(REQUESTS_SQL, [token])

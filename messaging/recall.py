"""A person had an unknown sent again, and then its first copy proved to have arrived: the second one stays here."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import connection as database

RECALL_SQL = """
WITH arrived AS MATERIALIZED (
    SELECT DISTINCT ON (t.message_id) t.id, t.message_id, r.lane
    FROM messaging_requestrecipient t JOIN messaging_providerrequest r ON r.id = t.request_id
    JOIN messaging_message m ON m.id = t.message_id
    WHERE t.request_id = ANY (%(requests)s) AND t.outcome = 'accepted' AND t.superseded_at IS NOT NULL
      AND m.send_state IN ('queued', 'held', 'claimed', 'skipped', 'expired', 'refused', 'cancelled', 'stuck')
), first_copy AS (
    UPDATE messaging_requestrecipient t SET superseded_at = NULL FROM arrived WHERE t.id = arrived.id
)
UPDATE messaging_message m
SET send_state = 'accepted', accepted_at = %(now)s, lane = arrived.lane, claim_token = NULL, lease_until = NULL,
    held_for = '', held_until = NULL, reason = '', error_code = ''
FROM arrived WHERE m.id = arrived.message_id
"""


def recall_second_copies(request_ids: Collection[int], now: datetime) -> int:
    """Take back what is not yet at the gate of messages whose superseded attempt was accepted after all; how many.

    Where the second copy ended before it left (they opted out meanwhile …) the message arrived all the same.

    The caller's transaction holds these messages' rows. A second copy that is being sent already cannot be recalled.
    """
    with database.cursor() as cursor:
        cursor.execute(RECALL_SQL, {"requests": list(request_ids), "now": now})
        return cursor.rowcount

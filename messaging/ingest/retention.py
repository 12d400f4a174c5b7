"""What the hooks received is kept as it came for a month; what was read from it stays where it was applied."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection as database
from django.db import transaction

KEPT_FOR = timedelta(days=30)  # F40 and T21 of the failure model
CHUNK = 5_000

# The oldest by id: calls are numbered as they come. A tick with nothing to do looks at the first one alone.
FORGET_SQL = """
WITH oldest AS MATERIALIZED (
    SELECT id, received_at, digested_at FROM messaging_inboundraw
    WHERE (SELECT received_at < %(before)s FROM messaging_inboundraw ORDER BY id LIMIT 1)
    ORDER BY id LIMIT %(chunk)s
), old AS MATERIALIZED (
    SELECT id FROM oldest WHERE received_at < %(before)s AND digested_at IS NOT NULL
), strangers AS (
    DELETE FROM messaging_deliverynotice
    WHERE raw_id IN (SELECT id FROM old) AND state = 'parked'
), notices AS (
    UPDATE messaging_deliverynotice SET raw_id = NULL WHERE raw_id IN (SELECT id FROM old) AND state <> 'parked'
), messages AS (
    UPDATE messaging_message SET raw_id = NULL WHERE raw_id IN (SELECT id FROM old)
)
DELETE FROM messaging_inboundraw WHERE id IN (SELECT id FROM old)
"""


@transaction.atomic
def forget_raw(now: datetime) -> int:
    """Tick: delete the next calls that are older, with DNs that found no request in all that time; how many calls."""
    with database.cursor() as cursor:
        cursor.execute(FORGET_SQL, {"before": now - KEPT_FOR, "chunk": CHUNK})
        return cursor.rowcount

"""How often a client may ask: counted by the minute in one statement, exact however many processes ask at once."""

from dataclasses import dataclass

from django.db import connection as database

from messaging.models import ApiClient

# Its commit need not wait for the disk: a count that a crash forgets harms nobody. A count is never older than its row.
TAKE_SQL = """
WITH quick AS MATERIALIZED (SELECT set_config('synchronous_commit', 'off', true))
INSERT INTO messaging_apiquota AS q (client_id, minute_at, used)
SELECT %(client)s, date_trunc('minute', clock_timestamp()), 1 FROM quick
ON CONFLICT (client_id) DO UPDATE SET
    used = CASE WHEN q.minute_at >= excluded.minute_at THEN least(q.used, %(limit)s) + 1 ELSE 1 END,
    minute_at = greatest(q.minute_at, excluded.minute_at)
RETURNING used, ceil(extract(epoch FROM minute_at + interval '1 minute' - clock_timestamp()))
"""


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of the current minute after this request."""

    limit: int
    used: int
    resets_in_s: int

    @property
    def allowed(self) -> bool:
        return self.used <= self.limit

    @property
    def remaining(self) -> int:
        return max(0, self.limit - self.used)


def take(client: ApiClient) -> Quota:
    """Count one request; outside any transaction, so that nobody waits for it longer than for this statement."""
    with database.cursor() as cursor:
        cursor.execute(TAKE_SQL, {"client": client.pk, "limit": client.rate_per_minute})
        used, resets_in_s = cursor.fetchone()
    return Quota(client.rate_per_minute, used, max(1, int(resets_in_s)))

"""The connection's rate, exact over all workers: GCRA on one row in PostgreSQL, unmoved by a wiped Redis."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from config.statements import prepared_cursor
from messaging.models import Connection

SLACK = 1.025  # slots lie a little further apart than the rate asks for: a late request then makes no second of more

RESERVE_SQL = """
INSERT INTO messaging_connectionpace AS p (connection_id, next_at)
VALUES (%(connection)s, clock_timestamp() + make_interval(secs => %(span_s)s))
ON CONFLICT (connection_id) DO UPDATE
    SET next_at = greatest(p.next_at, clock_timestamp()) + make_interval(secs => %(span_s)s)
RETURNING next_at, extract(epoch FROM next_at - clock_timestamp()) - %(span_s)s,
    set_config('synchronous_commit', 'off', true)
"""  # lost in a crash it is made again: nothing that it was for has left by then
GIVE_BACK_SQL = """
UPDATE messaging_connectionpace SET next_at = next_at - make_interval(secs => %s)
WHERE connection_id = %s AND next_at = %s
"""


@dataclass(frozen=True, slots=True)
class Slots:
    """The right to send some recipients, the first one `wait_s` seconds from now, then one every `each_s`."""

    connection_id: int
    wait_s: float
    each_s: float
    ends_at: datetime


def reserve(connection: Connection, recipients: int) -> Slots:
    """Reserve the next slots of the connection for this many recipients."""
    each_s = SLACK / connection.rate_per_s
    span_s = recipients * each_s
    with prepared_cursor() as cursor:
        cursor.execute(RESERVE_SQL, {"connection": connection.pk, "span_s": span_s})
        ends_at, wait_s, _ = cursor.fetchone()
    return Slots(connection.pk, max(0.0, float(wait_s)), each_s, ends_at)


def give_back(slots: Slots, recipients: int) -> None:
    """Return slots that the gate did not use, unless somebody has reserved behind them meanwhile."""
    if recipients > 0:
        with prepared_cursor() as cursor:
            cursor.execute(GIVE_BACK_SQL, [recipients * slots.each_s, slots.connection_id, slots.ends_at])

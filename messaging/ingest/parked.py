"""DNs that came before their request was known: looked at again until it is."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db import connection as database
from django.db import transaction

from messaging.ingest.adoption import adopt_unknowns
from messaging.ingest.consequences import stop_if_without_credit
from messaging.ingest.dn import apply_notices
from messaging.ingest.rows import NoticeRow, as_json
from messaging.ingest.turns import my_turn
from messaging.models import Connection, InboundRaw

PAGE = 2_000

KNOWN_SQL = r"""
WITH page AS MATERIALIZED (
    SELECT id, msgid, received_at, flag FROM messaging_deliverynotice
    WHERE connection_id = %(connection)s AND state = 'parked' AND received_at < %(before)s::timestamptz
    ORDER BY received_at DESC LIMIT %(page)s
)
SELECT (SELECT min(received_at) FROM page HAVING count(*) = %(page)s),
       ARRAY(SELECT id FROM page
             WHERE flag <> 'ambiguous_ref' AND EXISTS (
                SELECT 1 FROM messaging_providerrequest
                WHERE connection_id = %(connection)s AND ref <> ''
                  AND ref IN (page.msgid, substring(page.msgid FROM '^(.*-.*)-[0-9]{1,4}$'))))
"""

PARKED_SQL = """
SELECT id, raw_id, (extract(epoch FROM received_at) * 1000000)::bigint, status, error_code, msisdn, msgid, address_hmac,
       state, flag
FROM messaging_deliverynotice WHERE id = ANY (%s) AND state = 'parked' ORDER BY received_at, id
"""
JUDGED_SQL = """
UPDATE messaging_deliverynotice n SET state = d.state, flag = d.flag, recipient_id = d.recipient_id
FROM json_to_recordset(%s) AS d(id bigint, state text, flag text, recipient_id bigint) WHERE n.id = d.id
"""

_reached: dict[int, datetime | None] = {}  # how far back this process has looked, by connection


def retry_parked(now: datetime) -> int:
    """Tick: apply parked DNs whose request is known by now, then let DNs settle unknown requests; how many applied.

    Each tick looks at the newest ones and at one page of the older, so a heap of strange DNs costs as much as a few.
    """
    return sum(retry(connection, now) for connection in Connection.objects.defer("app_secret"))


def retry(connection: Connection, now: datetime) -> int:
    """One connection's, and what DNs settle there; how many were applied."""
    newest_end, ids = _known(connection.pk, None)
    if newest_end:
        _reached[connection.pk], older = _known(connection.pk, _reached.get(connection.pk) or newest_end)
        ids += older
    applied = _apply(connection, ids, now)
    if adopt_unknowns(connection, now):
        applied += _apply(connection, _known(connection.pk, None)[1], now)
    return applied


def _known(connection_id: int, before: datetime | None) -> tuple[datetime | None, list[int]]:
    """One page of parked DNs: where the next begins, if there is one, and those whose ref some request has."""
    with database.cursor() as cursor:
        cursor.execute(KNOWN_SQL, {"connection": connection_id, "before": before or "infinity", "page": PAGE})
        end, ids = cursor.fetchone()
        return end, ids


def _apply(connection: Connection, ids: Collection[int], now: datetime) -> int:
    if not ids:
        return 0
    with transaction.atomic():
        if not my_turn(connection.pk, InboundRaw.Kind.DN):
            return 0
        with database.cursor() as cursor:
            cursor.execute(PARKED_SQL, [list(ids)])
            notices = [NoticeRow(*row) for row in cursor.fetchall()]
            applied = apply_notices(connection, notices, now=now)
            cursor.execute(JUDGED_SQL, [as_json(notices, ["id", "state", "flag", "recipient_id"])])
    if notices:
        stop_if_without_credit(connection, since=notices[0].received_at, now=now)
    return applied

"""A call becomes one row, at most once however often it is stored."""

from datetime import datetime

from config.statements import prepared_cursor
from messaging.receiving.call import Call

KEEP_SQL = """
INSERT INTO messaging_inboundraw
       (connection_id, kind, method, query, content_type, body, truncated, peer, problem, call_id, received_at)
SELECT connection.id, %(kind)s, %(method)s, %(query)s, %(content_type)s, %(body)s, %(truncated)s, %(peer)s::inet, '',
       %(id)s, coalesce(%(at)s::timestamptz, now())
FROM messaging_hooktoken token JOIN messaging_connection connection ON connection.id = token.connection_id
WHERE token.digest = %(token)s AND (token.revoked_at IS NULL OR token.revoked_at > %(at)s::timestamptz)
  AND (connection.allowed_peers = '[]'
       OR EXISTS (SELECT 1 FROM jsonb_array_elements_text(connection.allowed_peers) allowed
                  WHERE CASE WHEN pg_input_is_valid(allowed, 'inet') THEN %(peer)s::inet <<= allowed::inet END))
ON CONFLICT (call_id) WHERE call_id IS NOT NULL DO NOTHING
RETURNING received_at
"""


def keep(call: Call, *, received_at: datetime | None = None) -> datetime | None:
    """Store the call; when it was received, None if it is not ours or is there already. Raises django.db.Error.

    Token, address and insert are one statement, so a revoked token is refused from the next call on; a call that waited
    in the spool is judged by the tokens of the time when it came.
    """
    with prepared_cursor() as cursor:
        cursor.execute(
            KEEP_SQL,
            {
                "token": call.token,
                "kind": call.kind,
                "method": call.method,
                "query": call.query,
                "content_type": call.content_type,
                "body": call.body,
                "truncated": call.truncated,
                "peer": call.peer,
                "id": call.id,
                "at": received_at,
            },
        )
        row = cursor.fetchone()
        return row[0] if row else None

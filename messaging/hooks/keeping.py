"""A received call becomes one durable row: the only thing that happens before our 200."""

import hashlib
from dataclasses import dataclass

from django.db import connection as database

from messaging.models import InboundRaw

KEEP_SQL = """
INSERT INTO messaging_inboundraw
       (connection_id, kind, method, query, content_type, body, truncated, peer, problem)
SELECT connection.id, %(kind)s, %(method)s, %(query)s, %(content_type)s, %(body)s, %(truncated)s, %(peer)s::inet, ''
FROM messaging_hooktoken token JOIN messaging_connection connection ON connection.id = token.connection_id
WHERE token.digest = %(digest)s AND token.revoked_at IS NULL
  AND (connection.allowed_peers = '[]'
       OR EXISTS (SELECT 1 FROM jsonb_array_elements_text(connection.allowed_peers) allowed
                  WHERE CASE WHEN pg_input_is_valid(allowed, 'inet') THEN %(peer)s::inet <<= allowed::inet END))
"""


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a hook, as it came."""

    kind: InboundRaw.Kind
    method: str
    query: bytes
    content_type: str
    body: bytes
    truncated: bool
    peer: str | None


def keep(call: Call, token: str) -> bool:
    """Store the call; False if the token or the caller's address is not the connection's. Raises django.db.Error.

    Token, address and insert are one statement, so a revoked token is refused from the next call on.
    """
    digest = hashlib.sha256(token.encode(errors="replace")).digest()
    with database.cursor() as cursor:
        cursor.execute(
            KEEP_SQL,
            {
                "digest": digest,
                "kind": call.kind.value,
                "method": call.method,
                "query": call.query,
                "content_type": call.content_type,
                "body": call.body,
                "truncated": call.truncated,
                "peer": call.peer,
            },
        )
        return cursor.rowcount == 1

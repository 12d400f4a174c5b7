"""How long PostgreSQL waits for a process that says nothing before it ends the session and frees its locks."""

from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

LIMITS_SQL = """
SELECT set_config('idle_in_transaction_session_timeout', %s, false), set_config('idle_session_timeout', %s, false)
"""


def limit(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """Receiver of connection_created. The next use of a session that was ended raises a database error."""
    with connection.cursor() as cursor:
        cursor.execute(LIMITS_SQL, [f"{settings.IDLE_IN_TRANSACTION_S}s", f"{settings.IDLE_SESSION_S}s"])

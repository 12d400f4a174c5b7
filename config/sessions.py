"""What every session of ours asks of PostgreSQL, whoever runs the server."""

from typing import Any

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

# How long PostgreSQL waits for a process that says nothing before it ends the session and frees its locks. And what a
# page read out of order costs: hot statements look rows up by key, and the server's default, a spinning disk's, makes
# it read whole tables for them while these are below some 30,000 rows.
SETTINGS_SQL = """
SELECT set_config('idle_in_transaction_session_timeout', %s, false), set_config('idle_session_timeout', %s, false),
       set_config('random_page_cost', '1.1', false)
"""


def prepare(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    """Receiver of connection_created. The next use of a session that was ended raises a database error."""
    with connection.cursor() as cursor:
        cursor.execute(SETTINGS_SQL, [f"{settings.IDLE_IN_TRANSACTION_S}s", f"{settings.IDLE_SESSION_S}s"])

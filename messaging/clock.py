"""The one clock: the database's. A worker whose own clock is wrong still sends at the right time."""

from datetime import datetime

from django.db import connection


def db_now() -> datetime:
    """The database's clock at this instant (not its transaction's start), aware."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]

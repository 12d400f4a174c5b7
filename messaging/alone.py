"""One at a time, whatever process asks: for work where a second worker would only wait for the first."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from django.db import Error
from django.db import connection as database


@contextmanager
def alone(what: str) -> Iterator[bool]:
    """Whether nobody else is at it; the lock ends with our database connection, however we die."""
    key = [f"messaging.{what}"]
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", key)
        got_it: bool = cursor.fetchone()[0]
        try:
            yield got_it
        finally:
            if got_it:
                with suppress(Error):  # a lost connection has let go of it already
                    cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", key)

"""What PostgreSQL knows of a table, refreshed right after much was written to it.

Autovacuum comes to it within minutes; a campaign may be planned and sent before, by plans made for an empty table.
"""

from django.db import OperationalError, models, transaction
from django.db import connection as database


def refresh(*tables: type[models.Model]) -> None:
    """Give the planner its statistics; a table that somebody else is at already is left to them."""
    for table in tables:
        try:
            with transaction.atomic(), database.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '1s'")
                cursor.execute(f'ANALYZE "{table._meta.db_table}"')
        except OperationalError:
            continue

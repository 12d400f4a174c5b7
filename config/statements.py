"""Statements that PostgreSQL plans once a session instead of each time: for the hot ones.

Django's own cursors put values into the text of a statement, so that no two are alike and each is planned anew. Here
the server binds them: a value's type that the statement does not imply has to be named there (`%(at)s::timestamptz`).
"""

from typing import Any

import psycopg
from django.db import connection as database
from django.db.backends.utils import CursorWrapper


def prepared_cursor() -> CursorWrapper:
    """Like `django.db.connection.cursor()`, with the same errors, execute wrappers and log of queries."""
    wrapper: Any = database
    wrapper.ensure_connection()
    with wrapper.wrap_database_errors:
        raw = psycopg.Cursor(wrapper.connection)
    return wrapper._prepare_cursor(raw)

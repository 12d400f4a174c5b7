"""Refs as the provider gives them: a small integer, a hyphen, PHP's microtime. Ours never repeat."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from django.db import connection as database

from messaging.models import DoorCall

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TICK = timedelta(microseconds=100)  # the fourth decimal
INSERT_SQL = """
INSERT INTO messaging_doorcall (client_id, ref, "to", fingerprint, would_be, at) VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (ref) DO NOTHING RETURNING id
"""


def insert_call(call: DoorCall) -> DoorCall:
    """Save the call under the first free ref of its client from `at` on."""
    values: list[Any] = [call.to, call.fingerprint, call.would_be, call.at]
    with database.cursor() as cursor:
        for tick in count((call.at - EPOCH) // TICK):
            call.ref = _ref(call.client_id, tick)
            cursor.execute(INSERT_SQL, [call.client_id, call.ref, *values])
            if row := cursor.fetchone():
                call.pk = row[0]
                return call
    raise AssertionError("unreachable")


def _ref(client_id: int, tick: int) -> str:
    seconds, decimals = divmod(tick, 10_000)
    return f"{client_id}-{seconds}.{decimals:04d}"

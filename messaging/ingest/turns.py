"""One reader a connection and kind, so that calls are read in the order in which they came."""

from django.db import connection as database

from messaging.models import InboundRaw

LOCK_SPACE = {InboundRaw.Kind.DN: 0x5D01, InboundRaw.Kind.MO: 0x5D02}  # our part of the advisory locks


def my_turn(connection_id: int, kind: str) -> bool:
    """Take the lock until the transaction ends; False if somebody else has it."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [LOCK_SPACE[InboundRaw.Kind(kind)], connection_id])
        return bool(cursor.fetchone()[0])

"""Signs of life in PostgreSQL, written as work begins and while it lasts: who sees none does it himself."""

from collections.abc import Iterable

from django.db import connection as database

BEAT_SQL = """
INSERT INTO messaging_heartbeat AS h (name, at) VALUES (%s, clock_timestamp())
ON CONFLICT (name) DO UPDATE SET at = excluded.at WHERE h.at < excluded.at - interval '1 second'
"""
SILENT_SQL = """
SELECT name FROM unnest(%s::text[]) name
WHERE NOT EXISTS (SELECT 1 FROM messaging_heartbeat h
                  WHERE h.name = name.name AND h.at > clock_timestamp() - make_interval(secs => %s))
"""


def sending(connection_id: int) -> str:
    """The name of this kind of work."""
    return f"send {connection_id}"


def beat(name: str) -> None:
    """This kind of work begins now, or goes on; written at most once a second."""
    with database.cursor() as cursor:
        cursor.execute(BEAT_SQL, [name])


def silent(names: Iterable[str], *, for_s: float) -> list[str]:
    """Those of the names that nobody has been at for so long."""
    with database.cursor() as cursor:
        cursor.execute(SILENT_SQL, [list(names), for_s])
        return [row[0] for row in cursor.fetchall()]

"""Which database this is, and how that differs from the one we knew."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from config.statements import prepared_cursor

FACTS_SQL = """
SELECT (SELECT system_identifier FROM pg_control_system()),
       ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::bigint,
       (SELECT oid::bigint FROM pg_database WHERE datname = current_database()),
       (SELECT xmin::text::bigint FROM messaging_birthmark),
       (pg_current_wal_flush_lsn() - '0/0'::pg_lsn)::bigint,
       k.system_identifier, k.timeline, k.database, k.birthmark, k.epoch
FROM (SELECT) one LEFT JOIN messaging_knowndatabase k ON true
"""
WORDS = {
    "cluster": _("This is another PostgreSQL cluster than before."),
    "timeline": _("PostgreSQL went over to another timeline: a replica was promoted, or a point in time restored."),
    "database": _("The database was made anew in the same cluster."),
    "copy": _("The rows were written anew, as pg_restore does it."),
    "older": _("The database is older than what this machine has already seen of it."),
}


@dataclass(frozen=True, slots=True)
class Facts:
    """What cannot be restored with a backup. `lsn` is how far its log is on disk: within a timeline it only grows."""

    system_identifier: int
    timeline: int
    database: int
    birthmark: int | None
    lsn: int


@dataclass(frozen=True, slots=True)
class Seen:
    """The facts, and the row that should say the same; None before anything was known."""

    facts: Facts
    known: tuple[int, int, int, int] | None
    epoch: int

    def differences(self) -> list[str]:
        """Keys of WORDS."""
        if self.known is None:
            return []
        facts = self.facts
        now = (facts.system_identifier, facts.timeline, facts.database, facts.birthmark)
        names = ("cluster", "timeline", "database", "copy")
        return [name for name, known, is_now in zip(names, self.known, now, strict=True) if known != is_now]


def look() -> Seen:
    """One statement; a wave can afford it."""
    with prepared_cursor() as cursor:
        cursor.execute(FACTS_SQL)
        *facts, system_identifier, timeline, oid, birthmark, epoch = cursor.fetchone()
    known = None if epoch is None else (system_identifier, timeline, oid, birthmark)
    return Seen(Facts(*facts), known, epoch or 0)


def describe(facts: Facts) -> dict[str, int]:
    """The columns of KnownDatabase that come from facts."""
    assert facts.birthmark is not None
    names = ("system_identifier", "timeline", "database", "birthmark")
    return {name: getattr(facts, name) for name in names}

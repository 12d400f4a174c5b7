"""What Prometheus reads: asked from PostgreSQL at the moment of the scrape, so that any web process tells all.

Every count comes out of an index that holds only the rows in question; none grows with what was sent long ago.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db import connection as database
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from messaging.receiving import spool_size


@dataclass(frozen=True, slots=True)
class Gauge:
    """One figure for each row of a statement: its labels, then its value."""

    name: str
    words: str
    labels: tuple[str, ...]
    sql: str


PER_CONNECTION = """
SELECT c.name, count(*) FROM {table} x JOIN messaging_connection c ON c.id = x.connection_id
WHERE {where} GROUP BY c.name
"""
GAUGES = (
    Gauge(
        "switchboard_messages", "Messages on their way, or waiting for a decision.", ("connection", "state"),
        """
        SELECT c.name, s.state, n FROM messaging_connection c CROSS JOIN LATERAL (
            SELECT 'queued' AS state, count(*) AS n FROM messaging_message m
            WHERE m.connection_id = c.id AND m.send_state = 'queued'
            UNION ALL
            SELECT v.state, count(m.id) FROM (VALUES ('unknown'), ('stuck')) v(state)
            LEFT JOIN messaging_message m ON m.connection_id = c.id AND m.send_state = v.state
                  AND m.send_state IN ('unknown', 'stuck')
            GROUP BY v.state
            UNION ALL
            SELECT v.state, count(m.id) FROM (VALUES ('claimed'), ('sending')) v(state)
            LEFT JOIN messaging_message m ON m.connection_id = c.id AND m.send_state = v.state
                  AND m.send_state IN ('claimed', 'sending')
            GROUP BY v.state) s
        """,
    ),
    Gauge(
        "switchboard_oldest_due_seconds", "How long the longest-waiting message could have left.", ("connection",),
        """
        SELECT c.name, coalesce(extract(epoch FROM clock_timestamp() - (
            SELECT coalesce(m.due_at, m.timeline_at) FROM messaging_message m
            WHERE m.connection_id = c.id AND m.send_state = 'queued'
              AND (m.due_at IS NULL OR m.due_at <= clock_timestamp())
            ORDER BY m.id LIMIT 1)), 0)
        FROM messaging_connection c
        """,
    ),
    Gauge(
        "switchboard_requests_in_flight", "Requests to the provider without an answer yet.", ("connection",),
        PER_CONNECTION.format(table="messaging_providerrequest", where="x.outcome = 'in_flight'"),
    ),
    Gauge(
        "switchboard_parked_notices", "Delivery notifications whose request is not known.", ("connection",),
        PER_CONNECTION.format(table="messaging_deliverynotice", where="x.state = 'parked'"),
    ),
    Gauge(
        "switchboard_undigested_calls", "Calls of the hooks that nobody has read yet.", ("connection", "kind"),
        """
        SELECT c.name, x.kind, count(*)
        FROM messaging_inboundraw x JOIN messaging_connection c ON c.id = x.connection_id
        WHERE x.digested_at IS NULL GROUP BY c.name, x.kind
        """,
    ),
    Gauge(
        "switchboard_connection_sending", "1 where the connection may send.", ("connection", "state"),
        "SELECT name, state, (state = 'ok')::int FROM messaging_connection",
    ),
    Gauge(
        "switchboard_open_incidents", "Incidents that nobody has closed.", ("connection", "kind"),
        """
        SELECT c.name, x.kind, count(*) FROM messaging_incident x JOIN messaging_connection c ON c.id = x.connection_id
        WHERE x.closed_at IS NULL GROUP BY c.name, x.kind
        """,
    ),
    Gauge(
        "switchboard_heartbeat_age_seconds", "Since a kind of work was last begun by anybody.", ("work",),
        "SELECT name, extract(epoch FROM clock_timestamp() - at) FROM messaging_heartbeat",
    ),
)  # fmt: skip


class PostgresCollector(Collector):
    """One statement a figure."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        with database.cursor() as cursor:
            for gauge in GAUGES:
                family = GaugeMetricFamily(gauge.name, gauge.words, labels=gauge.labels)
                cursor.execute(gauge.sql)
                for *labels, value in cursor.fetchall():
                    family.add_metric([str(label) for label in labels], float(value))
                yield family


class SpoolCollector(Collector):
    """Of the machine that is asked: each has a spool of its own."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        files, size = spool_size()
        yield GaugeMetricFamily("switchboard_spool_files", "Files of calls that wait for the database.", value=files)
        yield GaugeMetricFamily("switchboard_spool_bytes", "Bytes of calls that wait for the database.", value=size)


def exposition() -> bytes:
    """Raises django.db.Error while the database is away."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(PostgresCollector())
    registry.register(SpoolCollector())
    return generate_latest(registry)

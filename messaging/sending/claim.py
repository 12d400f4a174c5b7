"""Which rows a worker takes next. Each row goes to exactly one worker, however many ask."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from config.statements import prepared_cursor
from messaging.models import Connection

CAREFUL_AFTER_ONE_LOSS = 8  # rows claimed together once one of them has lost a claim
REST_S = 3.0  # after so long a worker looks again for rows that came back behind its mark

# A claim need not wait for the disk: lost in a crash, the row is queued again, and a gate that finds it so lets it be.
CLAIM_SQL = """
WITH due AS MATERIALIZED (
    SELECT id FROM messaging_message
    WHERE connection_id = %(connection)s AND send_state = 'queued' AND id > %(after)s
      AND {whose} AND (due_at IS NULL OR due_at <= clock_timestamp())
    ORDER BY id LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
UPDATE messaging_message m
SET send_state = 'claimed', claim_token = %(token)s,
    lease_until = clock_timestamp() + make_interval(secs => %(lease_s)s)
FROM due WHERE m.id = due.id
RETURNING m.id, m.claims_lost, set_config('synchronous_commit', 'off', true)
"""
OF_CAMPAIGN, SINGLE = "campaign_id = %(campaign)s", "campaign_id IS NULL"
# Its LIMITs keep each look at one entry behind the mark: as a plain EXISTS it becomes a join that reads the dead ones.
SOURCES_SQL = """
WITH mark AS (SELECT * FROM unnest(%(marked)s::bigint[], %(after)s::bigint[]) AS mark(campaign_id, after))
SELECT NULL FROM messaging_connection c WHERE c.id = %(connection)s AND c.state = 'ok' AND EXISTS (
    SELECT 1 FROM messaging_message m
    WHERE m.connection_id = c.id AND m.campaign_id IS NULL AND m.send_state = 'queued'
      AND (m.due_at IS NULL OR m.due_at <= clock_timestamp()))
UNION ALL
SELECT k.id FROM messaging_connection c JOIN messaging_campaign k ON k.connection_id = c.id
LEFT JOIN mark ON mark.campaign_id = k.id CROSS JOIN LATERAL (
    SELECT 1 FROM messaging_message m
    WHERE m.connection_id = %(connection)s AND m.campaign_id = k.id AND m.send_state = 'queued'
      AND m.id > coalesce(mark.after, 0) AND (m.due_at IS NULL OR m.due_at <= clock_timestamp())
    ORDER BY m.id LIMIT 1) due
WHERE c.id = %(connection)s AND c.state = 'ok' AND k.state IN ('preparing', 'running')
"""
RELEASE_SQL = """
UPDATE messaging_message SET send_state = 'queued', claim_token = NULL, lease_until = NULL
WHERE id = ANY (%s) AND claim_token = %s AND send_state = 'claimed'
"""


@dataclass(slots=True)
class Marks:
    """How far one worker has got in each campaign of a connection.

    The index of queued rows is full of dead entries where rows were worked off; starting behind them keeps a claim's
    cost the same from the first to the last. A mark is a hint: it is forgotten when a campaign seems empty, and every
    REST_S, so rows that come back are found.
    """

    after: dict[int | None, int] = field(default_factory=dict)
    turn: int = 0
    forgotten_at: float = 0.0

    def forget_if_due(self, monotonic: float) -> None:
        if monotonic - self.forgotten_at > REST_S:
            self.after.clear()
            self.forgotten_at = monotonic


@dataclass(frozen=True, slots=True)
class Claim:
    """Rows that are ours until the lease ends, by token."""

    token: uuid.UUID
    ids: list[int]


def claim(connection: Connection, *, limit: int, marks: Marks, token: uuid.UUID | None = None) -> Claim:
    """At most `limit` due rows: single messages first, then the campaigns that have any, in turn, in equal shares."""
    token = token or uuid.uuid4()
    lost: dict[int, int] = {}
    sources = _sources(connection, marks)
    if None in sources:
        _take(lost, connection, None, limit, token, marks)
    campaigns = _in_turn([pk for pk in sources if pk is not None], marks)
    while campaigns and len(lost) < limit:
        share = -(-(limit - len(lost)) // len(campaigns))
        campaigns = [
            campaign_id
            for campaign_id in campaigns
            if _take(lost, connection, campaign_id, min(share, limit - len(lost)), token, marks) == share
        ]
    return _carefully(Claim(token, sorted(lost)), lost)


def _sources(connection: Connection, marks: Marks) -> list[int | None]:
    """The campaigns with due rows behind their marks, and None for single messages; nothing of a stopped connection.

    The first rows of one that is preparing leave while its last are decided.
    """
    marked = {pk: after for pk, after in list(marks.after.items()) if pk is not None}
    values: dict[str, Any] = {"connection": connection.pk, "marked": list(marked), "after": list(marked.values())}
    with prepared_cursor() as cursor:
        cursor.execute(SOURCES_SQL, values)
        sources = [row[0] for row in cursor.fetchall()]
    for pk in marked.keys() - set(sources):
        marks.after.pop(pk, None)  # a timer's thread may be at it too
    return sources if sources or not marked else _sources(connection, marks)


def _in_turn(campaigns: list[int], marks: Marks) -> list[int]:
    """Beginning with another one each time."""
    campaigns.sort()
    marks.turn += 1
    start = marks.turn % len(campaigns) if campaigns else 0
    return campaigns[start:] + campaigns[:start]


def _take(
    lost: dict[int, int], connection: Connection, campaign_id: int | None, limit: int, token: uuid.UUID, marks: Marks
) -> int:
    """Claim up to `limit` rows of one campaign, or single messages (None), into `lost`; how many."""
    if limit <= 0:
        return 0
    after = marks.after.get(campaign_id, 0)
    with prepared_cursor() as cursor:
        cursor.execute(
            CLAIM_SQL.format(whose=OF_CAMPAIGN if campaign_id else SINGLE),
            {
                "connection": connection.pk,
                "campaign": campaign_id,
                "after": after,
                "limit": limit,
                "token": token,
                "lease_s": settings.CLAIM_LEASE_S,
            },
        )
        rows = {pk: claims_lost for pk, claims_lost, _ in cursor.fetchall()}
    lost.update(rows)
    if len(rows) == limit:
        marks.after[campaign_id] = max(rows)
    else:
        marks.after.pop(campaign_id, None)
    return len(rows)


def _carefully(claimed: Claim, lost: dict[int, int]) -> Claim:
    """A row that may have killed its worker goes with few others, then alone, so that it cannot hold up the rest."""
    worst = max(lost.values(), default=0)
    if worst == 0:
        return claimed
    suspects = [id_ for id_ in claimed.ids if lost[id_] == worst]
    keep = suspects[:1] if worst > 1 else claimed.ids[:CAREFUL_AFTER_ONE_LOSS]
    release(claimed.token, set(claimed.ids) - set(keep))
    return Claim(claimed.token, keep)


def release(token: uuid.UUID, ids: Iterable[int]) -> None:
    """Give rows back that were not used; nothing is counted against them."""
    if unused := sorted(ids):
        with prepared_cursor() as cursor:
            cursor.execute(RELEASE_SQL, [unused, token])

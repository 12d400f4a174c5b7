"""Which rows a worker takes next. Each row goes to exactly one worker, however many ask."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.conf import settings
from django.db import connection as database
from django.db import transaction

from messaging.models import Connection

CAREFUL_AFTER_ONE_LOSS = 8  # rows claimed together once one of them has lost a claim
REST_S = 3.0  # after so long a worker looks again for rows that came back behind its mark

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
RETURNING m.id, m.claims_lost
"""
OF_CAMPAIGN, SINGLE = "campaign_id = %(campaign)s", "campaign_id IS NULL"
DUE_CAMPAIGNS_SQL = """
SELECT k.id FROM messaging_campaign k
WHERE k.connection_id = %s AND k.state = 'running' AND EXISTS (
    SELECT 1 FROM messaging_message m
    WHERE m.connection_id = k.connection_id AND m.campaign_id = k.id AND m.send_state = 'queued'
      AND (m.due_at IS NULL OR m.due_at <= clock_timestamp()))
ORDER BY k.id
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
    with transaction.atomic():
        _take(lost, connection, None, limit, token, marks)
        campaigns = _in_turn(connection, marks)
        while campaigns and len(lost) < limit:
            share = -(-(limit - len(lost)) // len(campaigns))
            campaigns = [
                campaign_id
                for campaign_id in campaigns
                if _take(lost, connection, campaign_id, min(share, limit - len(lost)), token, marks) == share
            ]
    return _carefully(Claim(token, sorted(lost)), lost)


def _in_turn(connection: Connection, marks: Marks) -> list[int]:
    """The running campaigns with due rows, beginning with another one each time."""
    with database.cursor() as cursor:
        cursor.execute(DUE_CAMPAIGNS_SQL, [connection.pk])
        due = [row[0] for row in cursor.fetchall()]
    marks.turn += 1
    start = marks.turn % len(due) if due else 0
    return due[start:] + due[:start]


def _take(
    lost: dict[int, int], connection: Connection, campaign_id: int | None, limit: int, token: uuid.UUID, marks: Marks
) -> int:
    """Claim up to `limit` rows of one campaign, or single messages (None), into `lost`; how many."""
    if limit <= 0:
        return 0
    after = marks.after.get(campaign_id, 0)
    with database.cursor() as cursor:
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
        rows = dict(cursor.fetchall())
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
    with database.cursor() as cursor:
        cursor.execute(RELEASE_SQL, [sorted(ids), token])

"""Campaigns that are over: what is left of cancelled ones, and those with nothing left to do."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta

from django.db import connection as database
from django.db import transaction

from messaging import planning
from messaging.apart import each_apart
from messaging.campaigns.row import State
from messaging.models import Campaign, Message
from messaging.planning import rows
from messaging.statuses import PASSING, SendState

GOING = (State.RUNNING, State.PAUSED)
BACK = (SendState.QUEUED, SendState.HELD)

# An answer that nobody waited for any more can put a row of a finished campaign back into the queue.
LATE_WITHIN = timedelta(days=1)
CANCEL_CHUNK_SQL = """
WITH chunk AS MATERIALIZED (
    SELECT id FROM messaging_message
    WHERE campaign_id = %s AND id > %s AND send_state IN ('planned', 'held', 'queued')
    ORDER BY id LIMIT %s FOR NO KEY UPDATE
), cancelled AS (
    UPDATE messaging_message m SET send_state = 'cancelled', held_for = '', held_until = NULL
    FROM chunk WHERE m.id = chunk.id
)
SELECT count(*), max(id) FROM chunk
"""


def cancel_rows(_now: datetime) -> int:
    """Tick: cancel what is left of cancelled campaigns, at most 5,000 rows a transaction."""
    left = planning.campaigns_with_rows(State.CANCELLED, ["planned", "held", "queued"])
    return each_apart(left, _cancel_rows_of, step="cancel")


def _cancel_rows_of(campaign_id: int) -> int:
    total = last = 0
    while True:
        with transaction.atomic(), database.cursor() as cursor:
            cursor.execute(CANCEL_CHUNK_SQL, [campaign_id, last, rows.CHUNK])
            cancelled, last = cursor.fetchone()
        total += cancelled
        if cancelled < rows.CHUNK:
            return total


def finish_done(now: datetime) -> int:
    """Tick: campaigns with no row in a passing state are finished; finished ones that have some again go on."""
    going = Campaign.objects.filter(state__in=GOING).values_list("pk", flat=True)
    finished = Campaign.objects.filter(state=State.FINISHED, finished_at__gt=now - LATE_WITHIN)
    total = each_apart(list(going), lambda campaign_id: _finish(campaign_id, now), step="finish")
    return total + each_apart(list(finished.values_list("pk", flat=True)), _go_on, step="go_on")


def _finish(campaign_id: int, now: datetime) -> int:
    """Looked at again once the row is held: somebody may have had an unknown sent again meanwhile."""
    if _has_rows(campaign_id, PASSING):
        return 0
    with transaction.atomic():
        campaign = rows.lock_row(campaign_id)
        if campaign.state not in GOING or _has_rows(campaign_id, PASSING):
            return 0
        campaign.state, campaign.finished_at = State.FINISHED, now
        campaign.save(update_fields=["state", "finished_at"])
        return 1


def _go_on(campaign_id: int) -> int:
    if not _has_rows(campaign_id, BACK):
        return 0
    with transaction.atomic():
        campaign = rows.lock_row(campaign_id)
        if campaign.state != State.FINISHED:
            return 0
        campaign.state, campaign.finished_at = State.RUNNING, None
        campaign.save(update_fields=["state", "finished_at"])
        return 1


def _has_rows(campaign_id: int, states: Collection[SendState]) -> bool:
    """In the order of an index: without it the planner expects to meet one at once, and reads the whole table."""
    found = Message.objects.filter(campaign=campaign_id, send_state__in=[state.value for state in states])
    return bool(found.order_by("campaign_id", "send_state").values_list("pk")[:1])

"""Campaigns that are over: what is left of cancelled ones, and those with nothing left to do."""

from __future__ import annotations

from datetime import datetime

from django.db import connection as database
from django.db import transaction

from messaging import planning
from messaging.apart import each_apart
from messaging.campaigns.row import State
from messaging.models import Campaign, Message
from messaging.planning import rows
from messaging.statuses import PASSING

CANCEL_CHUNK_SQL = """
UPDATE messaging_message SET send_state = 'cancelled', held_for = '', held_until = NULL
WHERE id IN (SELECT id FROM messaging_message
             WHERE campaign_id = %s AND send_state IN ('planned', 'held', 'queued')
             ORDER BY id LIMIT %s FOR NO KEY UPDATE)
"""


def cancel_rows(_now: datetime) -> int:
    """Tick: cancel what is left of cancelled campaigns, at most 5,000 rows a transaction."""
    left = planning.campaigns_with_rows(State.CANCELLED, ["planned", "held", "queued"])
    return each_apart(left, _cancel_rows_of, step="cancel")


def _cancel_rows_of(campaign_id: int) -> int:
    total = 0
    while True:
        with transaction.atomic(), database.cursor() as cursor:
            cursor.execute(CANCEL_CHUNK_SQL, [campaign_id, rows.CHUNK])
            total += cursor.rowcount
            if cursor.rowcount < rows.CHUNK:
                return total


def finish_done(now: datetime) -> int:
    """Tick: campaigns with no row in a passing state are finished."""
    passing = Message.objects.filter(send_state__in=[state.value for state in PASSING])
    running = Campaign.objects.filter(state__in=[State.RUNNING, State.PAUSED]).values_list("pk", flat=True)
    return sum(
        Campaign.objects.filter(pk=pk, state__in=[State.RUNNING, State.PAUSED]).update(
            state=State.FINISHED, finished_at=now
        )
        for pk in list(running)
        if not passing.filter(campaign=pk).exists()
    )

"""From planned rows to queued, held or skipped ones, chunk by chunk."""

from __future__ import annotations

from datetime import datetime

from django.db import connection as database
from django.db import transaction

from messaging import planning
from messaging.apart import each_apart
from messaging.campaigns.row import State
from messaging.models import Campaign
from messaging.planning import rows
from messaging.policy import Lane
from messaging.rule_sql import rule_sql

START_CHUNK_SQL = """
WITH chunk AS MATERIALIZED (
    SELECT id, contact_id FROM messaging_message
    WHERE campaign_id = %(campaign)s AND id > %(cursor)s AND send_state = 'planned' AND fallback_of_id IS NULL
    ORDER BY id LIMIT %(chunk)s FOR NO KEY UPDATE
), decided AS MATERIALIZED ({rule}), changed AS (
    UPDATE messaging_message m SET
        send_state = CASE {state} END,
        lane = CASE CASE {state} END WHEN 'skipped' THEN 'skipped' ELSE '' END,
        reason = CASE WHEN {sending} THEN {sending_reason} ELSE d.reason END,
        held_for = CASE WHEN d.lane = 'held' THEN d.reason WHEN {sending} THEN %(quiet_for)s ELSE '' END,
        held_until = CASE WHEN {sending} THEN %(quiet_until)s::timestamptz END,
        timeline_at = %(at)s
    FROM decided d WHERE m.id = d.id)
SELECT count(*), max(id) FROM chunk
"""


def start_due(now: datetime) -> int:
    """Tick: scheduled campaigns whose time has come begin to prepare; preparing ones are started. Idempotent."""
    due = Campaign.objects.filter(state=State.SCHEDULED, send_at__lte=now).values_list("pk", flat=True)
    for campaign_id in list(due):
        Campaign.objects.filter(pk=campaign_id, state=State.SCHEDULED).update(state=State.PREPARING)
    waiting = list(Campaign.objects.filter(state=State.PREPARING).values_list("pk", flat=True))
    return each_apart(waiting, lambda campaign_id: start(campaign_id, now), step="start")


def start(campaign_id: int, now: datetime) -> int:
    """Turn planned rows into queued, held or skipped ones, deciding each again; how many were started.

    Chunk by chunk, each with its cursor in its own transaction: a crash in between is resumed by the next caller.
    """
    total = 0
    while started := start_chunk(campaign_id, now):
        total += started
    return total


@transaction.atomic
def start_chunk(campaign_id: int, now: datetime) -> int:
    """The next rows of a preparing campaign, which may leave at once; 0 when all are started: then it is running."""
    campaign = planning.lock_row(campaign_id)
    if campaign.state != State.PREPARING:
        return 0
    started = _start_chunk(campaign, now)
    if not started:
        campaign.state = State.RUNNING
        campaign.save(update_fields=["state"])
    return started


def _start_chunk(campaign: Campaign, now: datetime) -> int:
    rule = rule_sql(
        campaign, now, "SELECT contact_id, id FROM chunk", ["id"], campaign=campaign.pk,
        cursor=campaign.start_cursor, chunk=rows.CHUNK,
    )  # fmt: skip
    quiet = planning.quiet_verdict(campaign, now)
    sending = "d.lane IN ('session', 'template', 'sms')"
    states = {
        None: f"WHEN {sending} THEN 'queued' WHEN d.lane = 'held' THEN 'held' ELSE 'skipped'",
        Lane.HELD: f"WHEN {sending} OR d.lane = 'held' THEN 'held' ELSE 'skipped'",
        Lane.SKIPPED: "WHEN d.lane = 'held' THEN 'held' ELSE 'skipped'",
    }
    params = rule.params | {
        "quiet_for": quiet.reason if quiet and quiet.lane is Lane.HELD else "",
        "quiet_until": quiet and quiet.until,
        "quiet_reason": quiet.reason if quiet else "",
    }
    sql = START_CHUNK_SQL.format(
        rule=rule.sql,
        state=states[quiet.lane if quiet else None],
        sending=sending,
        sending_reason="%(quiet_reason)s" if quiet else "''",
    )
    with database.cursor() as cursor:
        cursor.execute(sql, params)
        started, last = cursor.fetchone()
    if started:
        campaign.start_cursor = last
        campaign.save(update_fields=["start_cursor"])
    return started

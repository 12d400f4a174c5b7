"""Planned rows, written chunk by chunk so that a crash tears none, and sealed."""

from __future__ import annotations

from datetime import datetime

from django.db import connection as database
from django.db import transaction

from contacts import statistics
from messaging.apart import each_apart
from messaging.models import Campaign, Message
from messaging.planning import rows
from messaging.planning.counts import plan_time, quiet_verdict
from messaging.planning.forgetting import forget_chunk
from messaging.planning.seal import plan_hash
from messaging.policy import SENDING_LANES
from messaging.rule_sql import rule_sql

# Of every list the next people by its index, so that a page costs the same wherever it begins.
PAGE_SQL = """
SELECT DISTINCT m.contact_id FROM messaging_campaignaudience a CROSS JOIN LATERAL (
    SELECT contact_id FROM contacts_listmembership
    WHERE contact_list_id = a.contact_list_id AND contact_id > %(cursor)s ORDER BY contact_id LIMIT %(chunk)s) m
WHERE a.campaign_id = %(campaign)s AND NOT a.excluded ORDER BY 1 LIMIT %(chunk)s
"""
OF_PAGE_SQL = """
SELECT contact_id FROM page WHERE NOT EXISTS (
    SELECT 1 FROM messaging_campaignaudience e
    JOIN contacts_listmembership x ON x.contact_list_id = e.contact_list_id
    WHERE e.campaign_id = %(campaign)s AND e.excluded AND x.contact_id = page.contact_id)
"""
REMOVALS_SQL = """
SELECT m.contact_id, m.contact_list_id,
       CASE WHEN x.list_id IS NOT NULL THEN 'excluded' ELSE 'duplicate' END AS reason,
       COALESCE(x.list_id, m.first_list) AS because_of
FROM (SELECT m.contact_id, m.contact_list_id,
             min(m.contact_list_id) OVER (PARTITION BY m.contact_id) AS first_list
      FROM contacts_listmembership m
      JOIN messaging_campaignaudience a ON a.contact_list_id = m.contact_list_id AND a.campaign_id = %(campaign)s
      WHERE NOT a.excluded) m
LEFT JOIN LATERAL (
    SELECT min(x.contact_list_id) AS list_id FROM contacts_listmembership x
    JOIN messaging_campaignaudience e ON e.contact_list_id = x.contact_list_id AND e.campaign_id = %(campaign)s
    WHERE e.excluded AND x.contact_id = m.contact_id) x ON true
WHERE x.list_id IS NOT NULL OR m.contact_list_id <> m.first_list
"""


def materialise(campaign_id: int, now: datetime) -> bool:
    """Write the planned rows of a campaign in review, chunk by chunk; True once the plan is sealed.

    Each chunk commits with its cursor, so a crash loses nothing and a second caller waits its turn.
    """
    while True:
        with transaction.atomic():
            campaign = rows.lock_row(campaign_id)
            if campaign.state != Campaign.State.IN_REVIEW or campaign.plan_sealed_at:
                return bool(campaign.plan_sealed_at)
            if campaign.plan_cursor == 0 and forget_chunk(campaign):
                continue
            if _write_chunk(campaign, now):
                continue
            _write_removals(campaign)
            _seal(campaign, now)
            break
    statistics.refresh(Message)
    return True


def _write_chunk(campaign: Campaign, now: datetime) -> int:
    """The next planned rows by contact id; how many people were looked at, 0 when everyone was."""
    at = plan_time(campaign, now)
    rule = rule_sql(campaign, at, OF_PAGE_SQL, campaign=campaign.pk, cursor=campaign.plan_cursor, chunk=rows.CHUNK)
    quiet = quiet_verdict(campaign, at)
    lane, reason = (quiet.lane, quiet.reason) if quiet else (None, None)
    with database.cursor() as cursor:
        cursor.execute(
            f"""
            WITH page AS MATERIALIZED ({PAGE_SQL}), decided AS MATERIALIZED ({rule.sql}), written AS (
                INSERT INTO messaging_message (
                    public_id, direction, contact_id, connection_id, campaign_id, purpose, body, variables, reference,
                    channel, planned_lane, planned_reason, lane, reason, send_state, delivery_state, not_after,
                    until_reply, held_for, claims_lost, tries, alone, error_code, provider_id, repeated,
                    created_at, timeline_at)
                SELECT gen_random_uuid(), 'mt', contact_id, %(connection)s, %(campaign)s, %(purpose)s, '', '{{}}', '',
                       '', {_unless_quiet("lane", lane)},
                       {_unless_quiet("reason", reason)}, '', '', 'planned', 'none', %(not_after)s,
                       %(until_reply)s, '', 0, 0, false, '', '', false, %(now)s, %(at)s
                FROM decided ORDER BY contact_id
                ON CONFLICT DO NOTHING)
            SELECT count(*), max(contact_id) FROM page
            """,
            rule.params | {"not_after": campaign.not_after, "until_reply": campaign.until_reply, "now": now},
        )
        listed, last = cursor.fetchone()
    if listed:
        campaign.plan_cursor = last
        campaign.save(update_fields=["plan_cursor"])
    return listed


def _unless_quiet(column: str, word: str | None) -> str:
    """A sending lane during quiet hours is planned as a hold."""
    sending = ", ".join(f"'{lane}'" for lane in SENDING_LANES)
    return f"CASE WHEN lane IN ({sending}) THEN '{word}' ELSE {column} END" if word else column


def _write_removals(campaign: Campaign) -> None:
    with database.cursor() as cursor:
        cursor.execute(
            f"""INSERT INTO messaging_audienceremoval
                    (campaign_id, contact_id, contact_list_id, reason, because_of_id)
                SELECT %(campaign)s, contact_id, contact_list_id, reason, because_of FROM ({REMOVALS_SQL}) r
                ON CONFLICT DO NOTHING""",
            {"campaign": campaign.pk},
        )


def _seal(campaign: Campaign, now: datetime) -> None:
    campaign.plan_hash = plan_hash(campaign)
    campaign.plan_sealed_at = now
    campaign.save(update_fields=["plan_hash", "plan_sealed_at"])


def materialise_waiting(now: datetime) -> int:
    """Go on with every plan that a crash, or nobody's nudge, left unsealed."""
    waiting = Campaign.objects.filter(state=Campaign.State.IN_REVIEW, plan_sealed_at=None)
    ids = list(waiting.order_by("submitted_at").values_list("pk", flat=True))
    return each_apart(ids, lambda campaign_id: materialise(campaign_id, now), step="plan")

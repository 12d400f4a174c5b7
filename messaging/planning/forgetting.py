"""Plans that became void."""

from __future__ import annotations

from datetime import datetime

from django.db import connection as database
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from messaging.apart import each_apart
from messaging.models import AudienceRemoval, Campaign, Message
from messaging.planning import rows

# Without its order a look at one campaign reads the whole table: the planner expects to meet a row at once.
WITH_ROWS_SQL = """
SELECT k.id FROM messaging_campaign k CROSS JOIN LATERAL (
    SELECT 1 FROM messaging_message m WHERE m.campaign_id = k.id AND m.send_state = ANY (%s)
    ORDER BY m.campaign_id, m.send_state LIMIT 1) m
WHERE k.state = %s
"""


def unseal(campaign: Campaign) -> None:
    """Make void the plan of a campaign that goes back to draft; the caller holds its row and saves it.

    Its rows are only remains then: `forget_plans` deletes them, and the next plan does before it writes its first row.
    """
    campaign.plan_cursor, campaign.plan_sealed_at, campaign.plan_hash = 0, None, ""


def forget_plans(_now: datetime) -> int:
    """Tick: delete what is left of the plans of campaigns that went back to draft; how many rows that were."""
    planned = campaigns_with_rows(Campaign.State.DRAFT, ["planned"])
    removed = Campaign.objects.filter(Exists(_removed(OuterRef("pk"))), state=Campaign.State.DRAFT)
    return each_apart({*planned, *removed.values_list("pk", flat=True)}, _forget, step="forget")


def campaigns_with_rows(state: str, send_states: list[str]) -> list[int]:
    """The campaigns in this state that have messages in one of those."""
    with database.cursor() as cursor:
        cursor.execute(WITH_ROWS_SQL, [send_states, state])
        return [row[0] for row in cursor.fetchall()]


def _forget(campaign_id: int) -> int:
    total = 0
    while True:
        with transaction.atomic():
            campaign = rows.lock_row(campaign_id)
            gone = forget_chunk(campaign) if campaign.state == Campaign.State.DRAFT else 0
        if not gone:
            return total
        total += gone


def forget_chunk(campaign: Campaign) -> int:
    """Delete at most CHUNK remains of a plan; 0 when there are none."""
    for remains in (_planned(campaign.pk), _removed(campaign.pk)):
        gone, _by_model = remains.filter(pk__in=list(remains.values_list("pk", flat=True)[: rows.CHUNK])).delete()
        if gone:
            return gone
    return 0


def _planned(campaign_id: int) -> QuerySet[Message]:
    return Message.objects.filter(campaign=campaign_id, send_state="planned")


def _removed(campaign_id: int | OuterRef) -> QuerySet[AudienceRemoval]:
    return AudienceRemoval.objects.filter(campaign=campaign_id)

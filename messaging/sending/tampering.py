"""The text that leaves is the text that was approved: compared by its hash, computed in the database, at every gate."""

from __future__ import annotations

from datetime import datetime

from django.db import connection as database

from messaging.audit import audit
from messaging.models import Campaign, Incident
from messaging.sending.due import Due

CHANGED_SQL = """
SELECT 'campaign', id FROM messaging_campaign
WHERE id = ANY (%s) AND texts_sha256 IS DISTINCT FROM sha256(convert_to(session_text || %s || sms_text, 'UTF8'))
UNION ALL
SELECT 'version', id FROM messaging_templateversion
WHERE id = ANY (%s) AND sha256 IS DISTINCT FROM sha256(convert_to(body, 'UTF8'))
"""


def stop_tampered(messages: list[Due], separator: str, now: datetime) -> list[Due]:
    """Without messages whose text is not the approved one; their campaigns pause, with an incident.

    A single message of a changed template stays queued behind the incident.
    """
    sources = {message.pk: message.campaign or message.test_of for message in messages}
    campaigns = {campaign.pk: campaign for campaign in sources.values() if campaign}
    versions = {version_id for message in messages if (version_id := _version_id(message))}
    with database.cursor() as cursor:
        cursor.execute(CHANGED_SQL, [list(campaigns), separator, list(versions)])
        changed = cursor.fetchall()
    changed_campaigns = {pk for kind, pk in changed if kind == "campaign"}
    changed_versions = {pk for kind, pk in changed if kind == "version"}
    changed_campaigns |= {pk for pk, one in campaigns.items() if one.template_version_id in changed_versions}
    for pk in changed_campaigns:
        _pause(campaigns[pk], now)
    return [
        message
        for message in messages
        if (source := sources[message.pk]) is None or source.pk not in changed_campaigns
        if _version_id(message) not in changed_versions
    ]


def _version_id(message: Due) -> int | None:
    source = message.campaign or message.test_of or message
    return source.template_version_id


def _pause(campaign: Campaign, now: datetime) -> None:
    """In the gate's own transaction: plain UPDATE, no lock on the campaign is taken out of order."""
    leaving = [Campaign.State.PREPARING, Campaign.State.RUNNING]
    Campaign.objects.filter(pk=campaign.pk, state__in=leaving).update(state=Campaign.State.PAUSED)
    Incident.objects.get_or_create(
        connection_id=campaign.connection_id,
        campaign=campaign,
        kind=Incident.Kind.TEXT_CHANGED,
        closed_at=None,
        defaults={"opened_at": now, "detail": "The text in the database is not the one that was approved."},
    )
    audit(actor=None, act="campaign.text_changed", subject=campaign, now=now)

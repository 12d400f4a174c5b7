"""The text that leaves is the text that was approved: the very strings that a gate renders, compared by their hash."""

from __future__ import annotations

from datetime import datetime

from messaging.audit import audit
from messaging.campaigns import UNIT_SEPARATOR
from messaging.models import Campaign, Incident, TemplateVersion
from messaging.sending.due import Due
from messaging.text import body_sha256


def stop_tampered(messages: list[Due], now: datetime) -> list[Due]:
    """Without messages whose text is not the approved one; their campaigns pause, with an incident.

    A single message of a changed template stays queued behind the incident.
    """
    sources = {source.pk: source for one in messages if (source := one.campaign or one.test_of)}
    changed = {pk for pk, campaign in sources.items() if _is_changed(campaign)}
    for pk in changed:
        _pause(sources[pk], now)
    versions = {one.template_version.pk: one.template_version for one in messages if one.template_version}
    changed_versions = {pk for pk, version in versions.items() if _is_other(version)}
    return [
        one
        for one in messages
        if (source.pk not in changed if (source := one.campaign or one.test_of) else True)
        if one.template_version_id not in changed_versions
    ]


def _is_changed(campaign: Campaign) -> bool:
    texts = body_sha256(campaign.session_text + UNIT_SEPARATOR + campaign.sms_text)
    approved = campaign.texts_sha256
    version = campaign.template_version
    return approved is None or texts != bytes(approved) or (version is not None and _is_other(version))


def _is_other(version: TemplateVersion) -> bool:
    return body_sha256(version.body) != bytes(version.sha256)


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

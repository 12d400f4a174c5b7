"""A new draft like a campaign that is there."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext as _

from messaging.audit import audit
from messaging.models import Campaign, CampaignAudience

CLONED = (
    "retry_of", "connection", "purpose", "session_text", "template_version", "sms_text",
    "until_reply", "quiet_from", "quiet_to", "time_zone",
)  # fmt: skip
NAME_LIMIT = Campaign._meta.get_field("name").max_length


@transaction.atomic
def clone_campaign(*, campaign: Campaign, user: User, now: datetime) -> Campaign:
    """A draft with the same texts, lists and quiet hours, of any campaign; `user` is its one writer.

    What belongs to the original alone stays there: its send time and last moment, plan, approval, rows. A copy of a
    retry is one, too: whom another try reached it leaves out.
    """
    name = (_("Copy of %s") % campaign.name)[:NAME_LIMIT]
    kept = {field: getattr(campaign, field) for field in CLONED}
    clone = Campaign.objects.create(name=name, editor_ids=[user.pk], **kept)
    CampaignAudience.objects.bulk_create(
        CampaignAudience(campaign=clone, contact_list_id=row.contact_list_id, excluded=row.excluded)
        for row in campaign.audience.all()
    )
    audit(actor=user, act="campaign.cloned", subject=clone, now=now, of=str(campaign.public_id))
    return clone

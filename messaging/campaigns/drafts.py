"""Writing a draft."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery

from contacts.models import ContactList
from messaging import text
from messaging.audit import audit
from messaging.campaigns.row import State, lock, refuse_older, require
from messaging.models import AuditEvent, Campaign, CampaignAudience, Connection

UNIT_SEPARATOR = "\x1f"  # between the two texts in texts_sha256; forbidden in either
BODIES = ("session_text", "sms_text")


@transaction.atomic
def create_campaign(*, user: User, now: datetime, name: str, connection: Connection, **fields: Any) -> Campaign:
    """A draft; whoever creates it counts as one of its writers."""
    campaign = Campaign(name=name.strip(), connection=connection, editor_ids=[user.pk], **_clean(fields))
    campaign.save()
    audit(actor=user, act="campaign.created", subject=campaign, now=now, name=campaign.name)
    return campaign


@transaction.atomic
def edit_campaign(
    *,
    campaign: Campaign,
    user: User,
    version: int,
    now: datetime,
    include: Iterable[ContactList] | None = None,
    exclude: Iterable[ContactList] | None = None,
    **fields: Any,
) -> Campaign:
    """Change a draft; the history tells what differs, if anything. Raises Stale if somebody saved after `version` was
    read, WrongState outside draft.
    """
    campaign = lock(campaign)
    require(campaign, State.DRAFT)
    refuse_older(campaign, version)
    new = {key: value for key, value in _clean(fields).items() if getattr(campaign, key) != value}
    for key, value in new.items():
        setattr(campaign, key, value)
    campaign.version += 1
    if user.pk not in campaign.editor_ids:
        campaign.editor_ids = [*campaign.editor_ids, user.pk]
    campaign.save()
    lists = {"include": include, "exclude": exclude}
    others = [
        name
        for name, wanted in lists.items()
        if wanted is not None and _set_audience(campaign, wanted, excluded=name == "exclude")
    ]
    if new or others:
        audit(actor=user, act="campaign.edited", subject=campaign, now=now, fields=sorted([*new, *others]))
    return campaign


def _clean(fields: dict[str, Any]) -> dict[str, Any]:
    return {key: text.normalize_body(value) if key in BODIES else value for key, value in fields.items()}


def _set_audience(campaign: Campaign, lists: Iterable[ContactList], *, excluded: bool) -> bool:
    """Whether other lists were named before."""
    wanted = {contact_list.pk for contact_list in lists}
    named = campaign.audience.filter(excluded=excluded)
    before = set(named.values_list("contact_list", flat=True))
    named.exclude(contact_list__in=wanted).delete()
    for pk in sorted(wanted - before):
        CampaignAudience.objects.update_or_create(
            campaign=campaign, contact_list_id=pk, defaults={"excluded": excluded}
        )
    return wanted != before


def returned_to(user: User) -> QuerySet[Campaign]:
    """This writer's drafts that an approver sent back and nobody has touched since."""
    done = AuditEvent.objects.filter(subject_type=Campaign._meta.model_name, subject_id=OuterRef("pk"))
    latest = Subquery(done.order_by("-at", "-pk").values("act")[:1])
    mine = Campaign.objects.filter(state=State.DRAFT, editor_ids__contains=[user.pk])
    return mine.alias(latest=latest).filter(latest="campaign.returned")

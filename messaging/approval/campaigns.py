"""A campaign's approval: of these texts, for these people, as the flight plan that the approver saw."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from messaging.approval.people import refuse_own
from messaging.audit import audit
from messaging.campaigns import back_to_draft, lock
from messaging.errors import Incomplete, Stale, WrongState
from messaging.models import Campaign, TemplateVersion


@transaction.atomic
def approve_campaign(*, campaign: Campaign, user: User, plan_hash: str, now: datetime) -> Campaign:
    """Freeze the plan whose hash the approver saw. Raises SelfApproval, Stale, WrongState."""
    campaign = _lock_in_review(campaign)
    refuse_own(campaign, user)
    if campaign.plan_sealed_at is None:
        raise WrongState(_("The flight plan is still being written. Look again in a moment."))
    if plan_hash != campaign.plan_hash:
        raise Stale(_("The flight plan is not the one that you saw. Look at it again."))
    version = campaign.template_version_id
    if version and not TemplateVersion.objects.approved().filter(pk=version).exists():
        raise WrongState(_("Its template is not approved any more."))
    campaign.state, campaign.approved_by, campaign.approved_at = Campaign.State.APPROVED, user, now
    campaign.save(update_fields=["state", "approved_by", "approved_at"])
    audit(actor=user, act="campaign.approved", subject=campaign, now=now, plan_hash=plan_hash)
    return campaign


@transaction.atomic
def return_campaign(*, campaign: Campaign, user: User, reason: str, now: datetime) -> Campaign:
    """Send it back to its writers as a draft, with a reason; its planned rows go."""
    if not reason.strip():
        raise Incomplete(_("Say why: the writer needs a reason."))
    _lock_in_review(campaign)
    return back_to_draft(campaign=campaign, user=user, now=now, act="campaign.returned", reason=reason.strip())


def _lock_in_review(campaign: Campaign) -> Campaign:
    campaign = lock(campaign)
    if campaign.state != Campaign.State.IN_REVIEW:
        raise WrongState(_("This campaign is not in review any more."))
    return campaign

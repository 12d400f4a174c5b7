"""What people do to a campaign: submit, withdraw, launch, pause, resume, cancel."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from messaging import planning, text
from messaging.audit import audit
from messaging.campaigns.drafts import UNIT_SEPARATOR
from messaging.campaigns.problems import problems
from messaging.campaigns.row import State, lock, refuse_older, require
from messaging.errors import Incomplete
from messaging.models import Campaign, Message

NOTE_LIMIT = 500  # letters of a word to the approver


@transaction.atomic
def submit_campaign(
    *, campaign: Campaign, user: User, now: datetime, version: int | None = None, note: str = ""
) -> Campaign:
    """Ask for approval: texts and audience are fixed from here on; `planning.materialise` then writes the rows.

    `note` is a word to whoever approves it. Raises Incomplete with every problem in words, and Stale if it is not
    `version` any more that would be submitted.
    """
    campaign = lock(campaign)
    require(campaign, State.DRAFT)
    if version is not None:
        refuse_older(campaign, version)
    found = problems(campaign)
    if found:
        raise Incomplete(" ".join(found))
    campaign.state = State.IN_REVIEW
    campaign.submitted_by, campaign.submitted_at = user, now
    if user.pk not in campaign.editor_ids:
        campaign.editor_ids = [*campaign.editor_ids, user.pk]
    campaign.texts_sha256 = text.body_sha256(campaign.session_text + UNIT_SEPARATOR + campaign.sms_text)
    campaign.save()
    audit(actor=user, act="campaign.submitted", subject=campaign, now=now, **({"note": note} if note else {}))
    return campaign


@transaction.atomic
def add_note(*, campaign: Campaign, user: User, now: datetime, note: str) -> Campaign:
    """Another word to whoever approves it, at most NOTE_LIMIT letters. Raises WrongState once it does not wait."""
    campaign = lock(campaign)
    require(campaign, State.IN_REVIEW)
    audit(actor=user, act="campaign.noted", subject=campaign, now=now, note=note)
    return campaign


@transaction.atomic
def withdraw_campaign(*, campaign: Campaign, user: User, now: datetime) -> Campaign:
    """Its writers take it back to draft, before anything started: the plan and its approval are void."""
    return back_to_draft(campaign=campaign, user=user, now=now, act="campaign.withdrawn")


@transaction.atomic
def back_to_draft(*, campaign: Campaign, user: User, now: datetime, act: str, reason: str = "") -> Campaign:
    """The way back, whoever goes it; the history calls it `act`. Waiting tests of the approved text go no more."""
    campaign = lock(campaign)
    require(campaign, State.IN_REVIEW, State.APPROVED, State.SCHEDULED)
    planning.unseal(campaign)
    campaign.state = State.DRAFT
    campaign.approved_by = campaign.approved_at = None
    campaign.launched_by = campaign.launched_at = None
    campaign.submitted_by = campaign.submitted_at = campaign.texts_sha256 = None
    campaign.version += 1
    campaign.save()
    Message.objects.filter(test_of=campaign, send_state__in=["queued", "claimed", "held"]).update(
        send_state="cancelled", claim_token=None, lease_until=None, held_for="", held_until=None
    )
    audit(actor=user, act=act, subject=campaign, now=now, **({"reason": reason} if reason else {}))
    return campaign


@transaction.atomic
def launch_campaign(*, campaign: Campaign, user: User, now: datetime) -> Campaign:
    """Let an approved campaign go, now or at its send time. Of several launches at once one succeeds."""
    campaign = lock(campaign)
    require(campaign, State.APPROVED)
    later = campaign.send_at is not None and campaign.send_at > now
    campaign.state = State.SCHEDULED if later else State.PREPARING
    campaign.launched_at, campaign.launched_by = now, user
    campaign.save()
    audit(actor=user, act="campaign.scheduled" if later else "campaign.launched", subject=campaign, now=now)
    return campaign


@transaction.atomic
def pause_campaign(*, campaign: Campaign, user: User | None, now: datetime, reason: str = "") -> Campaign:
    """Nothing more leaves; what is at the provider finishes. Changes no message."""
    campaign = lock(campaign)
    require(campaign, State.RUNNING, State.PREPARING)
    campaign.state = State.PAUSED
    campaign.save(update_fields=["state"])
    audit(actor=user, act="campaign.paused", subject=campaign, now=now, reason=reason)
    return campaign


@transaction.atomic
def resume_campaign(*, campaign: Campaign, user: User, now: datetime) -> Campaign:
    """Go on with exactly the rest."""
    campaign = lock(campaign)
    require(campaign, State.PAUSED)
    started = not Message.objects.filter(campaign=campaign, send_state="planned").exists()
    campaign.state = State.RUNNING if started else State.PREPARING
    campaign.save(update_fields=["state"])
    campaign.incidents.filter(closed_at=None).update(closed_at=now, closed_by=user)
    audit(actor=user, act="campaign.resumed", subject=campaign, now=now)
    return campaign


@transaction.atomic
def cancel_campaign(*, campaign: Campaign, user: User, now: datetime) -> Campaign:
    """For good: planned, held and queued rows will be cancelled (`cancel_rows`); what is being sent finishes."""
    campaign = lock(campaign)
    if campaign.state in (State.FINISHED, State.CANCELLED):
        require(campaign)
    campaign.state, campaign.finished_at = State.CANCELLED, now
    campaign.save(update_fields=["state", "finished_at"])
    campaign.incidents.filter(closed_at=None).update(closed_at=now, closed_by=user)
    audit(actor=user, act="campaign.cancelled", subject=campaign, now=now)
    return campaign

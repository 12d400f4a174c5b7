"""What a person decides about a message of which nobody knows whether the provider has it."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from messaging.audit import audit
from messaging.errors import WrongState
from messaging.models import Campaign, Message, Outcome, RequestRecipient, ResolvedBy
from messaging.statuses import SendState


class NotUnknown(WrongState):
    """Its DN, or somebody else, settled it meanwhile."""

    code = "not_unknown"


class NotStuck(WrongState):
    """Somebody else took care of it meanwhile."""

    code = "not_stuck"


@transaction.atomic
def treat_as_sent(*, message: Message, user: AbstractBaseUser, now: datetime) -> Message:
    """Count it as accepted, by this person, for ever so marked."""
    message, attempt = _lock(message)
    _judge(attempt, Outcome.ACCEPTED, user, now)
    message.send_state, message.accepted_at = SendState.ACCEPTED, now
    message.save(update_fields=["send_state", "accepted_at"])
    audit(actor=user, act="message.treated_as_sent", subject=message, now=now)
    return message


@transaction.atomic
def treat_as_not_sent(*, message: Message, user: AbstractBaseUser, now: datetime) -> Message:
    """Give it up: this person says that it never arrived. It is cancelled; a DN may still prove them wrong."""
    message, attempt = _lock(message)
    _judge(attempt, Outcome.NOT_SENT, user, now)
    message.send_state, message.claim_token = SendState.CANCELLED, None
    message.save(update_fields=["send_state", "claim_token"])
    audit(actor=user, act="message.treated_as_not_sent", subject=message, now=now)
    return message


@transaction.atomic
def send_again(*, message: Message, user: AbstractBaseUser, now: datetime) -> Message:
    """Queue it once more, knowing that the person may get it twice; the old attempt stays on record."""
    message, attempt = _lock(message)
    _reopen(message)
    attempt.superseded_at = now
    _judge(attempt, Outcome.UNKNOWN, user, now)
    message.send_state, message.claim_token, message.due_at = SendState.QUEUED, None, None
    message.alone = True
    message.save(update_fields=["send_state", "claim_token", "due_at", "alone"])
    audit(actor=user, act="message.sent_again", subject=message, now=now)
    return message


@transaction.atomic
def keep_waiting(*, message: Message, user: AbstractBaseUser, now: datetime) -> Message:
    """Leave it unknown, and say that somebody looked."""
    message, _attempt = _lock(message)
    audit(actor=user, act="message.kept_waiting", subject=message, now=now)
    return message


@transaction.atomic
def try_stuck_again(*, message: Message, user: AbstractBaseUser, now: datetime) -> Message:
    """Queue a row that broke its workers once more, alone, after whatever was wrong is mended."""
    message = Message.objects.select_for_update(no_key=True, of=("self",)).get(pk=message.pk)
    if message.send_state != SendState.STUCK:
        raise NotStuck(_("This message is not stuck any more."))
    _reopen(message)
    message.send_state, message.claims_lost, message.alone = SendState.QUEUED, 0, True
    message.save(update_fields=["send_state", "claims_lost", "alone"])
    audit(actor=user, act="message.tried_again", subject=message, now=now)
    return message


def _reopen(message: Message) -> None:
    """A finished campaign with something to send again is running again, until it is finished again."""
    campaign = Campaign.objects.select_for_update(no_key=True).filter(pk=message.campaign_id).first()
    if campaign and campaign.state == Campaign.State.CANCELLED:
        raise WrongState(_("Its campaign was cancelled; nothing of it is sent again."))
    if campaign and campaign.state == Campaign.State.FINISHED:
        campaign.state, campaign.finished_at = Campaign.State.RUNNING, None
        campaign.save(update_fields=["state", "finished_at"])


def _lock(message: Message) -> tuple[Message, RequestRecipient]:
    message = Message.objects.select_for_update(no_key=True, of=("self",)).get(pk=message.pk)
    if message.send_state != SendState.UNKNOWN:
        raise NotUnknown(_("This message is not unknown any more."))
    return message, message.attempts.get(outcome=Outcome.UNKNOWN, superseded_at=None)


def _judge(attempt: RequestRecipient, outcome: str, user: AbstractBaseUser, now: datetime) -> None:
    attempt.outcome, attempt.resolved_by = outcome, ResolvedBy.PERSON
    attempt.resolved_at, attempt.judge = now, user  # type: ignore[assignment]
    attempt.save(update_fields=["outcome", "resolved_by", "resolved_at", "judge", "superseded_at"])

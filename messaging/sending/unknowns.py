"""What a person decides about a message that is unknown (nobody can say whether the provider has it) or stuck."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from messaging.audit import audit
from messaging.errors import WrongState
from messaging.models import Campaign, Incident, Message, Outcome, RequestRecipient, ResolvedBy
from messaging.statuses import SendState


class NotUnknown(WrongState):
    """Its DN, or somebody else, settled it meanwhile."""

    code = "not_unknown"


class NotStuck(WrongState):
    """Somebody else took care of it meanwhile."""

    code = "not_stuck"


@transaction.atomic
def treat_as_sent(*, message: Message, user: User, now: datetime) -> Message:
    """Count it as accepted, by this person, for ever so marked."""
    message, attempt = _lock(message)
    _judge(attempt, Outcome.ACCEPTED, user, now)
    message.send_state, message.accepted_at = SendState.ACCEPTED, now
    message.save(update_fields=["send_state", "accepted_at"])
    audit(actor=user, act="message.treated_as_sent", subject=message, now=now)
    return message


@transaction.atomic
def treat_as_not_sent(*, message: Message, user: User, now: datetime) -> Message:
    """Give it up: this person says that it never arrived. It is cancelled, also if a late DN says otherwise."""
    message, attempt = _lock(message)
    _judge(attempt, Outcome.NOT_SENT, user, now)
    message.send_state, message.claim_token = SendState.CANCELLED, None
    message.save(update_fields=["send_state", "claim_token"])
    audit(actor=user, act="message.treated_as_not_sent", subject=message, now=now)
    return message


@transaction.atomic
def send_again(*, message: Message, user: User, now: datetime) -> Message:
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
def keep_waiting(*, message: Message, user: User, now: datetime) -> Message:
    """Leave it unknown, and say that somebody looked."""
    message, _attempt = _lock(message)
    audit(actor=user, act="message.kept_waiting", subject=message, now=now)
    return message


@transaction.atomic
def try_stuck_again(*, message: Message, user: User, now: datetime) -> Message:
    """Queue a row that broke its workers once more, alone, after whatever was wrong is mended."""
    message = _lock_stuck(message)
    _reopen(message)
    message.send_state, message.claims_lost, message.alone = SendState.QUEUED, 0, True
    message.save(update_fields=["send_state", "claims_lost", "alone"])
    _close_incident(message, user, now)
    audit(actor=user, act="message.tried_again", subject=message, now=now)
    return message


@transaction.atomic
def give_up_stuck(*, message: Message, user: User, now: datetime) -> Message:
    """Cancel a row that broke its workers; it never got as far as the provider."""
    message = _lock_stuck(message)
    message.send_state = SendState.CANCELLED
    message.save(update_fields=["send_state"])
    _close_incident(message, user, now)
    audit(actor=user, act="message.given_up", subject=message, now=now)
    return message


def undecided() -> QuerySet[Message]:
    """The messages that wait for a person's decision: unknown and stuck."""
    return Message.objects.filter(send_state__in=[SendState.UNKNOWN, SendState.STUCK])


def stuck() -> QuerySet[Message]:
    """MTs that broke the worker that took them three times."""
    return Message.objects.filter(send_state=SendState.STUCK)


def _lock_stuck(message: Message) -> Message:
    message = Message.objects.select_for_update(no_key=True, of=("self",)).get(pk=message.pk)
    if message.send_state != SendState.STUCK:
        raise NotStuck(_("This message is not stuck any more."))
    return message


def _close_incident(message: Message, user: User, now: datetime) -> None:
    """With the connection's last stuck row its incident ends. Its lock makes the last two decisions see each other."""
    incidents = Incident.objects.filter(connection=message.connection_id, kind=Incident.Kind.STUCK, closed_at=None)
    for incident in incidents.select_for_update(no_key=True):
        if not stuck().filter(connection=message.connection_id).exists():
            incident.closed_at, incident.closed_by = now, user
            incident.save(update_fields=["closed_at", "closed_by"])


def _reopen(message: Message) -> None:
    """A finished campaign with something to send again is running again, until it is finished again."""
    campaign = Campaign.objects.select_for_update(no_key=True).filter(pk=message.campaign_id or 0).first()
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


def _judge(attempt: RequestRecipient, outcome: str, user: User, now: datetime) -> None:
    attempt.outcome, attempt.resolved_by = outcome, ResolvedBy.PERSON
    attempt.resolved_at, attempt.judge = now, user
    attempt.save(update_fields=["outcome", "resolved_by", "resolved_at", "judge", "superseded_at"])

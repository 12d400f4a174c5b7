"""Why a message is where it is, in one sentence, and what a member of staff does next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from messaging.audit import history
from messaging.inbox.steps import said_by, who
from messaging.inbox.windows import shown
from messaging.models import Campaign, Connection, Message, Outcome, RequestRecipient, ResolvedBy
from messaging.policy import Lane, Reason
from messaging.providers.codes import DnClass, answer_code, dn_code
from messaging.reasons import reason_change, reason_next, reason_words
from messaging.statuses import Status


@dataclass(frozen=True, slots=True)
class Why:
    """The cause in plain words, and the next step."""

    cause: str
    next_step: str


def why(message: Message, now: datetime) -> Why | None:
    """The answer to “why did they not get this?”; None for an MO."""
    if message.direction == Message.Direction.MO:
        return None
    if message.status is Status.QUEUED:
        return _queued(message, now)
    return _OF[message.status](message)


def _planned(message: Message) -> Why:
    if message.planned_lane == Lane.SKIPPED:
        cause = _("They will be skipped: %(reason)s") % {"reason": reason_words(message.planned_reason)}
        return Why(cause, reason_change(message.planned_reason))
    return Why(_("Its campaign has not started yet."), _("Look at the campaign: it says what it waits for."))


def _queued(message: Message, now: datetime) -> Why:
    by_itself = _("Nothing to do: it leaves by itself.")
    if message.connection.state != Connection.State.OK:
        state = {"name": message.connection.name, "state": message.connection.get_state_display()}
        cause = _("It waits, because the connection %(name)s does not send (%(state)s).") % state
        return Why(cause, _("Open the connection: it says what to do. The message then leaves by itself."))
    if message.campaign and message.campaign.state == Campaign.State.PAUSED:
        return Why(_("It waits, because its campaign is paused."), _("Resume the campaign; it then leaves by itself."))
    if message.due_at and message.due_at > now:
        later = _("The provider could not be reached. It is tried again on %(at)s.") if message.tries else ""
        return Why((later or _("It is to leave on %(at)s.")) % {"at": shown(message.due_at)}, by_itself)
    return Why(_("It waits for its turn."), by_itself)


def _held(message: Message) -> Why:
    cause = reason_words(message.held_for)
    if message.held_until and message.held_for == Message.HeldFor.QUIET_HOURS:
        cause = _("Held back until the quiet hours end on %(at)s.") % {"at": shown(message.held_until)}
    return Why(cause, reason_next(message.held_for))


def _sending(_message: Message) -> Why:
    return Why(_("It is being handed to the provider right now."), _("Look again in a minute."))


def _accepted(message: Message) -> Why:
    attempt = _last(message)
    wait = _("Nothing to do: the delivery notification is still to come.")
    if attempt and attempt.resolved_by == ResolvedBy.PERSON:
        return Why(
            _("%(who)s decided that it counts as sent; nothing proves it yet.") % {"who": who(attempt.judge)}, wait
        )
    return Why(_("The provider took it and has not yet said whether it was delivered."), wait)


def _sent(_message: Message) -> Why:
    wait = _("Nothing to do: the final word is still to come.")
    return Why(_("The provider handed it to the network; their phone has not confirmed it yet."), wait)


def _delivered(message: Message) -> Why:
    at = message.final_at or message.timeline_at
    return Why(_("It was delivered on %(at)s.") % {"at": shown(at)}, _("Nothing to do."))


def _undelivered(message: Message) -> Why:
    code = dn_code(message.error_code)
    if code is None or code.kind is DnClass.OK:
        silent = _("It was not delivered, and the provider does not say why.")
        return Why(silent, _("Send it again if it still matters; if it happens to many people, ask the provider."))
    return Why(_("It was not delivered: %(said)s") % {"said": code.words}, str(code.next_step))


def _refused(message: Message) -> Why:
    code, attempt = answer_code(message.error_code), _last(message)
    said = code.words if code.refuses else said_by(attempt.request) if attempt else ""
    next_step = code.next_step if code.refuses else _("Ask the provider what it means, then send it again.")
    return Why(_("The provider refused it: %(said)s") % {"said": said}, str(next_step))


def _unknown(message: Message) -> Why:
    attempt = _last(message)
    said = (said_by(attempt.request) if attempt else "") or _("no answer came in time")
    cause = _("Nobody knows whether it left: %(said)s.") % {"said": said.rstrip(".")}
    return Why(cause, _("Wait for a delivery notification, or decide about it under “Unknowns”."))


def _skipped(message: Message) -> Why:
    return Why(_("It was not sent: %(reason)s") % {"reason": reason_words(message.reason)}, reason_next(message.reason))


def _cancelled(message: Message) -> Why:
    write_again = _("Write a new message, if it still matters.")
    event = history(message).filter(act__in=("message.treated_as_not_sent", "message.given_up")).last()
    if event is None:
        of_campaign = message.campaign and message.campaign.state == Campaign.State.CANCELLED
        cause = (
            _("Its campaign was cancelled before it left.") if of_campaign else _("It was cancelled before it left.")
        )
        return Why(cause, write_again)
    name = {"who": who(event.actor)}
    if event.act == "message.given_up":
        return Why(_("It broke its worker three times, and %(who)s gave it up.") % name, write_again)
    judged = message.attempts.filter(outcome=Outcome.NOT_SENT, resolved_by=ResolvedBy.PERSON)
    if judged.filter(notices__isnull=False).exists():
        cause = _("%(who)s decided that it never arrived, but a later delivery notification says that it left.")
        return Why(cause % name, _("Read the notification below before writing again: they may have it."))
    return Why(_("%(who)s decided that it never arrived.") % name, write_again)


def _expired(message: Message) -> Why:
    at = {"at": shown(message.not_after)} if message.not_after else {}
    cause = (
        _("It could not leave before %(at)s, the latest time set for it.") if at else _("It was too late to be sent.")
    )
    return Why(cause % at, reason_next(Reason.EXPIRED))


def _stuck(_message: Message) -> Why:
    cause = _("It broke the worker that took it, three times, and was set aside.")
    return Why(
        cause, _("Have the cause found, then decide about it under “Unknowns”: try it again alone, or give it up.")
    )


def _last(message: Message) -> RequestRecipient | None:
    return message.attempts.select_related("request", "judge").order_by("-pk").first()


_OF: Mapping[Status, Callable[[Message], Why]] = {
    Status.PLANNED: _planned,
    Status.HELD: _held,
    Status.SENDING: _sending,
    Status.ACCEPTED: _accepted,
    Status.SENT: _sent,
    Status.DELIVERED: _delivered,
    Status.UNDELIVERED: _undelivered,
    Status.REFUSED: _refused,
    Status.UNKNOWN: _unknown,
    Status.SKIPPED: _skipped,
    Status.CANCELLED: _cancelled,
    Status.EXPIRED: _expired,
    Status.STUCK: _stuck,
}

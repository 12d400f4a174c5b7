"""What happened to one message, step by step and in words, read from the rows that each step left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _

from messaging.audit import history
from messaging.inbox.windows import shown
from messaging.models import AuditEvent, DeliveryNotice, Message, Outcome, ProviderRequest, RequestRecipient, ResolvedBy
from messaging.policy import Lane
from messaging.providers.codes import answer_code, dn_code
from messaging.statuses import SendState


@dataclass(frozen=True, slots=True)
class Step:
    """`kind`: received planned held stopped request answer dn judged."""

    at: datetime
    kind: str
    text: str


def steps(message: Message) -> list[Step]:
    """The message's whole story, oldest first."""
    if message.direction == Message.Direction.MO:
        return [Step(message.timeline_at, "received", _received(message))]
    return sorted(
        [*_planned(message), *_attempts(message), *_judged(message), *_ended(message)], key=lambda step: step.at
    )


def lane_words(lane: str) -> str:
    return {
        Lane.SESSION: _("session message"),
        Lane.TEMPLATE: _("template message"),
        Lane.SMS: _("SMS"),
        Lane.HELD: _("held"),
        Lane.SKIPPED: _("skipped"),
        Lane.EXPIRED: _("expired"),
    }.get(Lane(lane), lane)


def _received(message: Message) -> str:
    if message.repeated:
        return _("Came in again, right after the same words: it may be a copy.")
    if message.provider_at and message.provider_at < message.timeline_at:
        return _("Came in; they wrote it on %(at)s.") % {"at": shown(message.provider_at)}
    return _("Came in.")


def _planned(message: Message) -> Iterator[Step]:
    if message.planned_lane:
        yield Step(
            message.created_at,
            "planned",
            _("Planned as %(lane)s (%(reason)s).")
            % {"lane": lane_words(message.planned_lane), "reason": message.planned_reason},
        )
    else:
        yield Step(message.created_at, "planned", _("Written down, to be sent."))


def _ended(message: Message) -> Iterator[Step]:
    """Where it stands, if it stands without having left."""
    words = {
        SendState.HELD: _("Held back (%(reason)s)."),
        SendState.SKIPPED: _("Skipped (%(reason)s)."),
        SendState.EXPIRED: _("Too late to be sent."),
        SendState.CANCELLED: _("Cancelled."),
        SendState.STUCK: _("Broke the worker that took it, three times. A person must look."),
    }.get(SendState(message.send_state))
    if words:
        reason = message.held_for or message.reason
        kind = "held" if message.send_state == SendState.HELD else "stopped"
        yield Step(max(message.timeline_at, message.created_at), kind, words % {"reason": reason})


def _attempts(message: Message) -> Iterator[Step]:
    attempts = message.attempts.select_related("request", "judge").prefetch_related("notices").order_by("pk")
    for attempt in attempts:
        yield _request(attempt.request)
        yield from _answer(attempt)
        for notice in attempt.notices.all():
            yield Step(notice.received_at, "dn", _notice(notice))


def _request(request: ProviderRequest) -> Step:
    count = request.recipients.count()
    words = (
        _("Handed to the provider as %(lane)s.")
        if count == 1
        else _("Handed to the provider as %(lane)s, %(n)d people.")
    )
    return Step(request.started_at, "request", words % {"lane": lane_words(request.lane), "n": count})


def _answer(attempt: RequestRecipient) -> Iterator[Step]:
    request = attempt.request
    if request.answered_at:
        yield Step(request.answered_at, "answer", _answer_words(request))
    if attempt.resolved_by == ResolvedBy.LEASE and attempt.resolved_at:
        yield Step(attempt.resolved_at, "answer", _("No answer came: nobody knows whether it left."))
    if attempt.resolved_by == ResolvedBy.DN and attempt.resolved_at:
        yield Step(
            attempt.resolved_at,
            "judged",
            _("A delivery notification proves that the provider has it, reference %(ref)s.") % {"ref": request.ref},
        )


def _answer_words(request: ProviderRequest) -> str:
    said = answer_code(request.code).words if request.code else request.error or request.desc
    return {
        Outcome.ACCEPTED: _("Accepted by the provider, reference %(ref)s."),
        Outcome.REFUSED: _("Refused by the provider (%(code)s): %(said)s"),
        Outcome.NOT_SENT: _("It certainly did not leave: %(said)s"),
        Outcome.UNKNOWN: _("The answer does not say whether it left: %(said)s"),
        Outcome.IN_FLIGHT: _("Waiting for the answer."),
    }[Outcome(request.outcome)] % {"ref": request.ref, "code": request.code, "said": said}


def _notice(notice: DeliveryNotice) -> str:
    code = dn_code(notice.error_code)
    words = f"{notice.status} ({code.code}): {code.words}" if code else notice.status
    if notice.state == DeliveryNotice.State.HISTORY:
        return _("%(words)s It changes nothing.") % {"words": words}
    return words


def _judged(message: Message) -> Iterator[Step]:
    words = {
        "message.treated_as_sent": _("%(who)s decided that it was sent."),
        "message.sent_again": _("%(who)s sent it again, knowing that they may get it twice."),
        "message.kept_waiting": _("%(who)s looked, and left it open."),
    }
    for event in history(message):
        text = words.get(event.act, _("%(who)s: %(act)s"))
        yield Step(event.at, "judged", text % {"who": _who(event), "act": event.act})


def _who(event: AuditEvent) -> str:
    return event.actor.get_username() if event.actor else _("The system")

"""What happened to one message, step by step and in words, read from the rows that each step left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from messaging.audit import history
from messaging.inbox.windows import shown
from messaging.models import DeliveryNotice, Message, Outcome, ProviderRequest, RequestRecipient, ResolvedBy
from messaging.policy import Lane
from messaging.providers.codes import DnClass, answer_code, dn_code
from messaging.reasons import reason_words
from messaging.staff import staff_name
from messaging.statuses import STATUS_WORDS, SendState, Status, delivery_state_of

State = DeliveryNotice.State
OWN_WORDS: Mapping[str, Promise] = {  # what providers/http.py calls its own limits
    "deadline passed": gettext_lazy("The provider did not answer within the time that we give it."),
    "too late for the first byte": gettext_lazy("The time that we give a request was over before it began to leave."),
}


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
    told = sorted([_planned(message), *_attempts(message), *_judged(message)], key=lambda step: step.at)
    return sorted([*told, *_ended(message, told)], key=lambda step: step.at)


def lane_words(lane: str) -> str:
    return {
        Lane.SESSION: _("free text"),
        Lane.TEMPLATE: _("template"),
        Lane.SMS: _("SMS"),
        Lane.HELD: _("held back"),
        Lane.SKIPPED: _("skipped"),
        Lane.EXPIRED: _("expired"),
    }.get(Lane(lane), lane)


def _received(message: Message) -> str:
    if message.repeated:
        return _("Came in again, right after the same words: it may be a copy.")
    if message.provider_at and message.provider_at < message.timeline_at:
        return _("Came in; they wrote it on %(at)s.") % {"at": shown(message.provider_at)}
    return _("Came in.")


def _planned(message: Message) -> Step:
    words = {
        "": _("Written down, to be sent."),
        Lane.HELD: _("Planned to be held back. %(reason)s"),
        Lane.SKIPPED: _("Planned not to be sent. %(reason)s"),
    }.get(message.planned_lane, _("Planned as %(lane)s. %(reason)s"))
    lane = lane_words(message.planned_lane) if message.planned_lane else ""
    told = words % {"lane": lane, "reason": reason_words(message.planned_reason)}
    return Step(message.created_at, "planned", told.strip())


def _ended(message: Message, told: Iterable[Step]) -> Iterator[Step]:
    """Where it stands, if it stands without having left: after everything but late notifications."""
    words = {
        SendState.HELD: reason_words(message.held_for),
        SendState.SKIPPED: _("Not sent. %(reason)s") % {"reason": reason_words(message.reason)},
        SendState.EXPIRED: _("Too late to be sent."),
        SendState.CANCELLED: _("Cancelled."),
        SendState.STUCK: _("Broke the worker that took it, three times. A person must look."),
    }.get(SendState(message.send_state))
    if words:
        kind = "held" if message.send_state == SendState.HELD else "stopped"
        at = max(message.timeline_at, *(step.at for step in told if step.kind != "dn"))
        yield Step(at, kind, words)


def _attempts(message: Message) -> Iterator[Step]:
    attempts = message.attempts.select_related("request", "judge").prefetch_related("notices").order_by("pk")
    for attempt in attempts:
        yield _request(attempt.request)
        yield from _answer(attempt)
        for notice in attempt.notices.all():
            yield Step(notice.received_at, "dn", _notice(notice))


def _request(request: ProviderRequest) -> Step:
    others = request.recipients.count() - 1
    together = ngettext(
        "Handed to the provider as %(lane)s, in one request with %(n)d other person.",
        "Handed to the provider as %(lane)s, in one request with %(n)d other people.",
        others,
    )
    words = together if others > 0 else _("Handed to the provider as %(lane)s.")
    return Step(request.started_at, "request", words % {"lane": lane_words(request.lane), "n": others})


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
    return {
        Outcome.ACCEPTED: _("Accepted by the provider, reference %(ref)s."),
        Outcome.REFUSED: _("Refused by the provider (%(code)s): %(said)s"),
        Outcome.NOT_SENT: _("It certainly did not leave: %(said)s"),
        Outcome.UNKNOWN: _("The answer does not say whether it left: %(said)s"),
        Outcome.IN_FLIGHT: _("Waiting for the answer."),
    }[Outcome(request.outcome)] % {"ref": request.ref, "code": request.code, "said": said_by(request)}


def said_by(request: ProviderRequest) -> str:
    """The provider's code in words; else what we saw or it wrote, as it was. A 200 alone proves nothing."""
    if request.code == "200" and not request.ref:
        return _("The provider took the request and gave it no reference.")
    if request.code:
        return str(answer_code(request.code).words)
    return str(OWN_WORDS.get(request.error, request.error)) or request.desc


def _notice(notice: DeliveryNotice) -> str:
    state, code = delivery_state_of(notice.status), dn_code(notice.error_code)
    status = str(STATUS_WORDS[Status(state)]) if state else notice.status
    words = _("The provider reports: %(status)s.")
    if code and code.kind is not DnClass.OK:
        words = _("The provider reports: %(status)s (%(code)s). %(said)s")
    told = words % {"status": status, "code": code.code if code else "", "said": code.words if code else ""}
    return _("%(words)s It changes nothing.") % {"words": told} if notice.state == State.HISTORY else told


def _judged(message: Message) -> Iterator[Step]:
    words = {
        "message.treated_as_sent": _("%(who)s decided that it was sent."),
        "message.treated_as_not_sent": _("%(who)s decided that it never arrived."),
        "message.sent_again": _("%(who)s sent it again, knowing that they may get it twice."),
        "message.kept_waiting": _("%(who)s looked, and left it open."),
        "message.tried_again": _("%(who)s had it tried again, by itself."),
        "message.given_up": _("%(who)s gave it up."),
    }
    for event in history(message):
        text = words.get(event.act, _("%(who)s decided about it."))
        yield Step(event.at, "judged", text % {"who": who(event.actor)})


def who(user: User | None) -> str:
    return staff_name(user) or _("The system")

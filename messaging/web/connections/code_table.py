"""What each answer and each DN code means for sending, and if it is tried again: read out of the tables that act."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from messaging.models import Connection
from messaging.providers.answers import Answer, Outcome, read_answer
from messaging.providers.codes import ANSWER_CODES, DN_CODES, DnCode, Scope, answer_code
from messaging.sending.record import BACKOFF

Words = str | Promise
UNLISTED = 999


@dataclass(frozen=True, slots=True)
class Row:
    """One code: what it means, what becomes of the message, what a person can do, whether a machine tries again."""

    code: Words
    words: Words
    fate: Words
    next_step: Words
    again: Words = ""  # no DN makes one try again


def answer_rows() -> list[Row]:
    """Every listed code, then what comes without one."""
    listed = [_row(str(code), read_answer(200, _body(code)), answer_code(code).words) for code in ANSWER_CODES]
    return listed + [_row(code, answer, words) for code, answer, words in _without_code()]


def dn_rows() -> list[Row]:
    return [Row(f"{code.code:03}", code.words, _mark(code), code.next_step) for code in DN_CODES.values()]


def _body(code: int) -> bytes:
    """As the provider answers: only an acceptance brings a ref."""
    return json.dumps({"code": code} | ({"ref": "1"} if code == 200 else {})).encode()


def _without_code() -> Sequence[tuple[Words, Answer, Words]]:
    """The client decides these by what it saw of the wire (providers.answers, providers.http)."""
    return (
        (_("another code"), read_answer(200, _body(UNLISTED)), answer_code(UNLISTED).words),
        (
            _("no connection"),
            Answer(outcome=Outcome.NOT_SENT),
            _("Name, connection or certificate failed: nothing left us."),
        ),
        ("HTTP 401 403", read_answer(403, b""), _("The provider's server refuses us before its send script.")),
        ("HTTP 3xx 404 405 429", read_answer(404, b""), _("What answers there is not the provider's send script.")),
        (_("HTTP 5xx, silence, nonsense"), read_answer(500, b""), _("The request left us and no usable answer came.")),
    )


def _row(code: Words, answer: Answer, words: Words) -> Row:
    listed = answer_code(answer.code)
    fate, again = _fate(answer)
    return Row(code, words, fate, listed.next_step if answer.code is not None else _step(answer), again)


def _fate(answer: Answer) -> tuple[Words, Words]:
    if answer.outcome is Outcome.ACCEPTED:
        return _("accepted"), _("never")
    if answer.outcome is Outcome.UNKNOWN:
        again = _("never by itself; a delivery notification or a person settles it")
        return _("unknown: it may or may not have left"), again
    if answer.stop:
        state = Connection.State(answer.stop).label
        return _now("stays queued; the connection says “%s”") % state, _("when somebody resumes the connection")
    if answer.scope is Scope.MESSAGE:
        return _("refused"), _("one of several in a request: once more, alone; otherwise never by itself")
    return _("stays queued"), _now("by itself after %s") % ", ".join(_span(wait) for wait in BACKOFF)


def _span(wait: timedelta) -> str:
    seconds = int(wait.total_seconds())
    return _now("%s min") % (seconds // 60) if seconds >= 60 else _now("%s s") % seconds


def _step(answer: Answer) -> Words:
    """Where no code says what to do."""
    if answer.outcome is Outcome.UNKNOWN:
        return _("Wait for a delivery notification, or ask the provider before sending it again.")
    if answer.stop:
        return _("Check the connection's address and what stands between us and the provider, then resume it.")
    return _("Nothing to do, unless it lasts: then look at the network and the connection's address.")


def _mark(code: DnCode) -> Words:
    if code.marks_bad:
        return _("the number is marked bad on this channel and skipped from now on")
    if code.suppresses:
        return _("the person is opted out on this channel")
    return _("the delivery status, and nothing else")

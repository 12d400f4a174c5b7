"""What the pages of all other systems share: a secret shown once, an act that asks first, the state of a key."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.http import HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from messaging.audit import history
from messaging.clock import db_now
from messaging.models import ApiKey, DoorKey
from messaging.web.frame.answers import ask, attempt, go
from messaging.web.frame.badges import Badge
from messaging.web.frame.decorators import StaffRequest
from messaging.web.frame.parts import Sheet, Words
from messaging.web.frame.words import act_words

ACTS = 10  # of the past on one page


@dataclass(frozen=True)
class Once:
    """Secrets that are in the answer to one POST and nowhere else; `values` are (what it is, the secret)."""

    title: Words
    values: list[tuple[str | Promise, str]]


def ask_or_do(
    request: StaffRequest, sheet: Sheet, service: Callable[..., Any], *, done: Words, **arguments: Any
) -> HttpResponse:
    """The question on a GET; on a POST the act, and back to where it was asked."""
    if request.method != "POST":
        return ask(request, sheet)
    attempt(request, service, done=done, user=request.user, now=db_now(), **arguments)
    return go(request, sheet.back)


def key_badge(key: ApiKey | DoorKey, now: datetime) -> Badge:
    """Whether it still lets somebody in."""
    expires_at = key.expires_at if isinstance(key, ApiKey) else None
    if key.revoked_at:
        return Badge("quiet", "ban", _("Revoked"))
    if expires_at and expires_at <= now:
        return Badge("quiet", "clock", _("Expired"))
    return Badge("ok", "check", _("Valid"))


def lately(subject: Model) -> list[tuple[Any, str]]:
    """(event, words) of what was done to it, newest first."""
    return [(event, act_words(event.act)) for event in history(subject).reverse()[:ACTS]]

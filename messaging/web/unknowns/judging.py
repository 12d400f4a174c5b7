"""What a person decides about messages: asked first, done for each, and every refusal said once."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.utils.functional import Promise
from django.utils.translation import ngettext

from messaging.clock import db_now
from messaging.errors import Refused
from messaging.models import Message
from messaging.web.frame.decorators import StaffRequest


@dataclass(frozen=True, slots=True)
class Act:
    """One decision: its service, and what is said before it."""

    service: Callable[..., Any]
    title: Promise
    words: Promise
    button: Promise
    danger: bool = False


def decide(request: StaffRequest, act: Act, chosen: Iterable[Message]) -> None:
    """Each in a transaction of its own; those that are refused keep nobody else from being decided."""
    now, done, refusals = db_now(), 0, dict[str, None]()
    for message in chosen:
        try:
            act.service(message=message, user=request.user, now=now)
            done += 1
        except Refused as refusal:
            refusals[str(refusal.words)] = None
    for words in refusals:
        messages.warning(request, words)
    if done:
        messages.success(request, ngettext("Decided for %s person.", "Decided for %s people.", done) % done)

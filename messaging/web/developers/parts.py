"""What the pages of all other systems share: their form, a secret shown once, what asks first, the state of a key."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Model
from django.forms import ModelForm
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from messaging.audit import history
from messaging.clock import db_now
from messaging.models import ApiClient, ApiKey, DoorClient, DoorKey
from messaging.web.frame.answers import ask, attempt, go
from messaging.web.frame.badges import Badge
from messaging.web.frame.decorators import StaffRequest
from messaging.web.frame.parts import Sheet, Words
from messaging.web.frame.words import act_words

ACTS = 10  # of the past on one page


@dataclass(frozen=True)
class Kind:
    """One kind of other system: its page, and what its form says to whoever adds or changes one."""

    page: str  # the name of its URL
    add: Words
    added: Words  # what follows when it is there
    changed: Words  # what a change means

    def url(self, system: Any) -> str:
        return reverse(self.page, args=[system.public_id])

    def form(self, request: StaffRequest, form: ModelForm[Any], system: Any = None) -> HttpResponse:
        """Its form as it stands; 422 with what is wrong."""
        back = self.url(system) if system else reverse("developers")
        context = {"kind": self, "form": form, "system": system, "back": back}
        return render(request, "messaging/system_form.html", context, status=422 if form.errors else 200)


@dataclass(frozen=True)
class Once:
    """Secrets that are in the answer to one POST and nowhere else; `values` are (what it is, the secret).

    `names` are those by which the examples know them in the environment, `example` is the one to try.
    """

    title: Words
    values: Sequence[tuple[str | Promise, str]]
    names: tuple[str, ...]
    example: str
    home: str  # the page to which the address then leads: to load this one again would post again

    @property
    def shell(self) -> str:
        """The line that gives them to a shell."""
        named = zip(self.names, self.values, strict=True)
        return " ".join(["export", *(f"{name}={shlex.quote(secret)}" for name, (_words, secret) in named)])


def ask_or_do(
    request: StaffRequest, sheet: Sheet, service: Callable[..., Any], *, done: Words, **arguments: Any
) -> HttpResponse:
    """The question on a GET; on a POST the act, and back to where it was asked."""
    if request.method != "POST":
        return ask(request, sheet)
    attempt(request, service, done=done, user=request.user, now=db_now(), **arguments)
    return go(request, sheet.back)


def ask_to_revoke(
    request: StaffRequest, service: Callable[..., Any], *, key: ApiKey | DoorKey, name: str, back: str
) -> HttpResponse:
    words = _("It is refused from now on. Whatever still uses it stops working.")
    sheet = Sheet(_now("Revoke %(key)s?") % {"key": name}, _("Revoke it"), request.path, back, words, danger=True)
    return ask_or_do(request, sheet, service, done=_("Revoked."), key=key)


def ask_to_disable(
    request: StaffRequest, service: Callable[..., Any], *, client: ApiClient | DoorClient, words: Words, back: str
) -> HttpResponse:
    title = _now("Disable “%(name)s”?") % {"name": client.name}
    sheet = Sheet(title, _("Disable it"), request.path, back, words, danger=True)
    return ask_or_do(request, sheet, service, done=_("Disabled."), client=client)


def enable(
    request: StaffRequest, service: Callable[..., Any], *, client: ApiClient | DoorClient, done: Words, back: str
) -> HttpResponse:
    attempt(request, service, done=done, client=client, user=request.user, now=db_now())
    return redirect(back)


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

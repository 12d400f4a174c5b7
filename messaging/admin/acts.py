"""Admin actions that call a service: its refusals become messages, a decision is first shown what it decides on."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.models import User
from django.db.models import Model
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from messaging.errors import Refused

CONFIRMED = "confirmed"


def each(request: HttpRequest, rows: Iterable[Model], service: Callable[[Any], object], done: str) -> None:
    """Call the service for every row and say what came of it."""
    for row in rows:
        try:
            service(row)
        except Refused as refusal:
            messages.error(request, f"{row}: {refusal.words}")
        else:
            messages.success(request, f"{row}: {done}")


@dataclass(frozen=True)
class Seen:
    """A row to decide on: what it says, and a mark of that which comes back with the decision."""

    row: Model
    lines: list[str]
    mark: str = ""


def ask(
    model_admin: admin.ModelAdmin, request: HttpRequest, seen: Iterable[Seen], *, title: str, needs_reason: bool = False
) -> TemplateResponse:
    """The page between choosing rows and deciding on them."""
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "opts": model_admin.opts,
        "media": model_admin.media,
        "seen": list(seen),
        "action": request.POST["action"],
        "needs_reason": needs_reason,
        "go": _("Return") if needs_reason else _("Approve"),
        "action_checkbox_name": ACTION_CHECKBOX_NAME,
        "confirmed": CONFIRMED,
    }
    return TemplateResponse(request, "admin/messaging/decide.html", context)


def person(request: HttpRequest) -> User:
    """Who acts; nobody gets here without having signed in."""
    return cast(User, request.user)


def mark_seen(request: HttpRequest, row: Model) -> str:
    """The mark that the page showed for this row."""
    return request.POST.get(f"seen-{row.pk}", "")

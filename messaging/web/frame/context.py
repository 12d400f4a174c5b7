"""The navigation of every page: where one may go, and what waits there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import Promise, SimpleLazyObject
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy

from messaging import sending, webhooks
from messaging.models import Campaign, Conversation, Incident, TemplateVersion

MANY = 99  # a badge counts no further


@dataclass(frozen=True)
class Place:
    """One line of the navigation."""

    name: str
    url: str
    icon: str
    words: str | Promise
    current: str = ""
    count: str = ""
    count_words: str | Promise = ""
    urgent: bool = False


@dataclass(frozen=True)
class _Line:
    name: str
    icon: str
    words: str | Promise
    right: str
    waiting: Callable[[Any], int] | None = None
    said: Any = ""
    urgent: bool = False


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context processor: nothing is asked of the database until a page draws the navigation."""
    return {"nav": SimpleLazyObject(lambda: _places(request))}


def nav_place(request: HttpRequest, name: str) -> Place:
    """One line of the navigation as it stands now."""
    return _place(next(line for line in LINES if line.name == name), request)


def templates_to_decide(user: Any) -> QuerySet[TemplateVersion]:
    """Versions in review that this user had no hand in."""
    return _of_others(TemplateVersion.objects.filter(state=TemplateVersion.State.IN_REVIEW), user)


def campaigns_to_decide(user: Any) -> QuerySet[Campaign]:
    return _of_others(Campaign.objects.filter(state=Campaign.State.IN_REVIEW), user)


def _of_others(rows: Any, user: Any) -> Any:
    return rows.exclude(Q(submitted_by=user) | Q(editor_ids__contains=[user.pk]))


def _templates(user: Any) -> int:
    return _up_to(templates_to_decide(user)) if user.has_perm("messaging.approve_templateversion") else 0


def _campaigns(user: Any) -> int:
    return _up_to(campaigns_to_decide(user)) if user.has_perm("messaging.approve_campaign") else 0


def _waiting(_user: Any) -> int:
    return _up_to(Conversation.objects.filter(unread__gt=0))


def _incidents(_user: Any) -> int:
    return _up_to(Incident.objects.filter(closed_at=None))


def _unknowns(_user: Any) -> int:
    return _up_to(sending.undecided())


def _stopped_endpoints(_user: Any) -> int:
    return _up_to(webhooks.stopped_by_themselves())


def _up_to(rows: QuerySet) -> int:
    return len(rows.order_by().values_list("pk")[: MANY + 1])


LINES = (
    _Line("dashboard", "home", _("Dashboard"), ""),
    _Line(
        "conversation_list", "messages", _("Conversations"), "messaging.view_conversation",
        _waiting, ngettext_lazy("%d waits for an answer", "%d wait for an answer"),
    ),
    _Line(
        "campaign_list", "campaign", _("Campaigns"), "messaging.view_campaign",
        _campaigns, ngettext_lazy("%d waits for your decision", "%d wait for your decision"),
    ),
    _Line(
        "template_list", "template", _("Templates"), "messaging.view_template",
        _templates, ngettext_lazy("%d waits for your decision", "%d wait for your decision"),
    ),
    _Line("contact_list", "people", _("People"), "contacts.view_contact"),
    _Line(
        "unknown_list", "question", _("Unknowns"), "messaging.judge_message",
        _unknowns, ngettext_lazy("%d message to decide about", "%d messages to decide about"),
    ),
    _Line(
        "connection_list", "plug", _("Connections"), "messaging.view_connection",
        _incidents, ngettext_lazy("%d open incident", "%d open incidents"), urgent=True,
    ),
    _Line(
        "developers", "code", _("Developers"), "messaging.manage_apiclient",
        _stopped_endpoints, ngettext_lazy("%d endpoint stopped", "%d endpoints stopped"), urgent=True,
    ),
)  # fmt: skip


def _places(request: HttpRequest) -> list[Place]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return []
    user.role_words = ", ".join(user.groups.values_list("name", flat=True))
    return [_place(line, request) for line in LINES if not line.right or user.has_perm(line.right)]


def _place(line: _Line, request: HttpRequest) -> Place:
    url = reverse(line.name)
    count = line.waiting(request.user) if line.waiting else 0
    here = request.path == url or (url != "/" and request.path.startswith(url))
    return Place(
        line.name, url, line.icon, line.words,
        current=("page" if request.path == url else "true") if here else "",
        count="" if not count else str(count) if count <= MANY else f"{MANY}+",
        count_words=line.said % count if count else "",
        urgent=line.urgent,
    )  # fmt: skip

"""One message: why it went as it went, step by step, and what was said on the wire."""

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from messaging import inbox
from messaging.clock import db_now
from messaging.models import DeliveryNotice, InboundRaw, Message
from messaging.web.frame.answers import in_dialog
from messaging.web.frame.badges import badge_of
from messaging.web.frame.decorators import StaffRequest, staff_required
from messaging.web.frame.parts import sees_numbers

WIRE_LIMIT = 4_000  # characters of one raw call that are shown


@require_safe
@staff_required("messaging.view_conversation")
def message_detail(request: StaffRequest, public_id: str) -> HttpResponse:
    """Why a message went as it went, step by step, and what was said on the wire."""
    rows = Message.objects.select_related("contact", "connection", "raw", "author", *inbox.TEXTS_FROM)
    message = get_object_or_404(rows, public_id=public_id)
    raw = wire(message) if sees_numbers(request.user) else []  # raw calls spell numbers out
    talks = message.contact.conversations.filter(connection=message.connection, channel=message.channel)
    context = {
        "message": message,
        "conversation": talks.first(),
        "text": inbox.said([message])[message.pk],
        "wire": raw,
        **told(message),
    }
    template = "messaging/_message_detail.html" if in_dialog(request) else "messaging/message_detail.html"
    return render(request, template, context)


def told(message: Message) -> dict[str, Any]:
    """Why it is where it is, in what colour, and how it got there."""
    return {
        "why": inbox.why(message, db_now()),
        "tone": badge_of(message).tone,
        "steps": inbox.steps(message),
    }


def wire(message: Message) -> list[tuple[str, str]]:
    """What was received or answered, as it was; our key and secret are never among it."""
    found = []
    if message.raw:
        found.append((_("Received"), _raw(message.raw)))
    for attempt_row in message.attempts.select_related("request").prefetch_related("notices__raw").order_by("pk"):
        sent = attempt_row.request
        said = (
            f"HTTP {sent.http_status or '–'}",
            f"code {sent.code or '–'}",
            f"ref {sent.ref or '–'}",
            sent.desc,
            sent.error,
        )
        found.append((_("Answer"), " · ".join(part for part in said if part)))
        found += [(_("Delivery notification"), _notice(notice)) for notice in attempt_row.notices.all()]
    return found


def _notice(notice: DeliveryNotice) -> str:
    """As it came; after a month, as it was read."""
    return _raw(notice.raw) if notice.raw else f"{notice.status} {notice.error_code} {notice.msgid}"


def _raw(raw: InboundRaw) -> str:
    body = (bytes(raw.query) + b"\n" + bytes(raw.body)).decode("utf-8", "replace").strip()
    return f"{raw.method} {raw.content_type}\n{body[:WIRE_LIMIT]}".strip()

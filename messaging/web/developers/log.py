"""One delivery with all its attempts, and sending again."""

from __future__ import annotations

from datetime import timedelta

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from messaging import nudges, webhooks
from messaging.clock import db_now
from messaging.models import WebhookDelivery
from messaging.web.developers.endpoints import find_endpoint
from messaging.web.developers.figures import leaves_as
from messaging.web.developers.forms import StretchForm
from messaging.web.frame.answers import ask, attempt, attempt_form, posted
from messaging.web.frame.decorators import StaffRequest, staff_required
from messaging.web.frame.parts import Sheet

USUAL = timedelta(days=1)


@staff_required("messaging.manage_apiclient")
def delivery_detail(request: StaffRequest, public_id: str) -> HttpResponse:
    delivery = _get(public_id)
    attempts = list(delivery.attempts.order_by("-pk"))
    context = {"delivery": delivery, "attempts": attempts, "body": leaves_as(delivery)}
    return render(request, "messaging/delivery_detail.html", context)


@require_POST
@staff_required("messaging.manage_apiclient")
def delivery_replay(request: StaffRequest, public_id: str) -> HttpResponse:
    delivery = _get(public_id)
    done = _("It goes out again, under the same id.")
    if attempt(request, webhooks.replay, done=done, delivery=delivery, user=request.user, now=db_now()):
        nudges.deliver_webhooks()
    return redirect("delivery_detail", public_id)


@staff_required("messaging.manage_apiclient")
def webhook_replay(request: StaffRequest, public_id: str) -> HttpResponse:
    endpoint = find_endpoint(public_id)
    form = StretchForm(posted(request), initial={"since": _minute(-USUAL), "until": _minute(timedelta(minutes=1))})
    if form.is_valid():
        found = attempt_form(form, _replay_range, endpoint=endpoint, user=request.user, **form.cleaned_data)
        if found:
            nudges.deliver_webhooks()
            messages.success(request, found)
            return redirect("webhook_detail", public_id)
    page = reverse("webhook_detail", args=[public_id])
    words = _("What happened in that time goes out again, under the same ids. What is on its way is left as it is.")
    return ask(request, Sheet(_("Send again?"), _("Send again"), request.path, page, words, form=form))


def _replay_range(**arguments: object) -> str:
    """What was done, in words."""
    many = webhooks.replay_range(now=db_now(), **arguments)  # type: ignore[arg-type]
    return ngettext("%(n)s event goes out again.", "%(n)s events go out again.", many) % {"n": f"{many:,}"}


def _minute(away: timedelta) -> str:
    """As a datetime-local box shows it."""
    return f"{timezone.localtime() + away:%Y-%m-%dT%H:%M}"


def _get(public_id: str) -> WebhookDelivery:
    rows = WebhookDelivery.objects.select_related("endpoint__door_client", "event__message__contact", "event__contact")
    return get_object_or_404(rows, public_id=public_id)

"""Webhook endpoints on screens: made, changed, paused, ended, with the log of what went there."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazily
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from messaging import nudges, webhooks
from messaging.clock import db_now
from messaging.models import EventType, WebhookDelivery, WebhookEndpoint
from messaging.web.developers.forms import EndpointForm
from messaging.web.developers.parts import Kind, Once, ask_or_do, lately
from messaging.web.frame.answers import ask, attempt, attempt_form, posted
from messaging.web.frame.badges import delivery_badge
from messaging.web.frame.decorators import StaffRequest, staff_required
from messaging.web.frame.paging import paginate
from messaging.web.frame.parts import Choice, Sheet, Words

State = WebhookDelivery.State
KIND = Kind(
    "webhook_detail",
    lazily("Add an endpoint"),
    lazily("You get the secret that signs its events right afterwards, once."),
    lazily("It holds from the next event on."),
)


@never_cache
@staff_required("messaging.manage_apiclient")
def webhook_new(request: StaffRequest) -> HttpResponse:
    form = EndpointForm(posted(request))
    if form.is_valid():
        made = attempt_form(form, webhooks.create_endpoint, owner=request.user, now=db_now(), **form.cleaned_data)
        if made:
            messages.success(request, _("The endpoint is there. Events that happen from now on go to it."))
            return _show_secret(request, *made)
    return KIND.form(request, form)


@staff_required("messaging.manage_apiclient")
def webhook_detail(request: StaffRequest, public_id: str) -> HttpResponse:
    return _page(request, find_endpoint(public_id))


def _page(request: StaffRequest, endpoint: WebhookEndpoint, once: Once | None = None) -> HttpResponse:
    state = request.GET.get("state", "")
    log = webhooks.deliveries(endpoint)
    log = log.filter(state=state) if state in State.values else log
    words = dict(EventType.choices)
    context = {
        "endpoint": endpoint,
        "events": [(kind, words.get(kind, kind)) for kind in endpoint.event_types],
        "secrets": list(endpoint.secrets.all()),
        "filters": [Choice("state", _("Deliveries"), state, [("", _("All")), *_states(endpoint)])],
        "page": paginate(log, request, "-pk"),
        "searched": bool(state),
        "acts": lately(endpoint),
        "once": once,
    }
    return render(request, "messaging/webhook_detail.html", context)


def _states(endpoint: WebhookEndpoint) -> list[tuple[str, Words]]:
    """As the badges name them."""
    return [(state, delivery_badge(state, endpoint).words) for state in State.values]


@staff_required("messaging.manage_apiclient")
def webhook_edit(request: StaffRequest, public_id: str) -> HttpResponse:
    endpoint = find_endpoint(public_id)
    form = EndpointForm(posted(request), instance=endpoint)
    if form.is_valid() and attempt_form(
        form, webhooks.update_endpoint, endpoint=endpoint, user=request.user, now=db_now(), **form.cleaned_data
    ):
        messages.success(request, _("Saved."))
        return redirect("webhook_detail", public_id)
    return KIND.form(request, form, endpoint)


@never_cache
@staff_required("messaging.manage_apiclient")
def webhook_secret(request: StaffRequest, public_id: str) -> HttpResponse:
    endpoint = find_endpoint(public_id)
    if request.method == "POST":
        secret = attempt(request, webhooks.rotate_secret, endpoint=endpoint, user=request.user, now=db_now())
        return _show_secret(request, endpoint, secret) if secret else redirect("webhook_detail", public_id)
    words = _("It is shown once. For 24 hours deliveries are signed with the present one, too; older ones end now.")
    return ask(request, Sheet(_("A new secret?"), _("Make a secret"), request.path, KIND.url(endpoint), words))


def _show_secret(request: StaffRequest, endpoint: WebhookEndpoint, secret: str) -> HttpResponse:
    """Answered to the POST itself, so that the secret is in no URL, session or history."""
    title, values = _("Copy the secret now: it is not shown again"), [(_("Secret that signs its events"), secret)]
    return _page(request, endpoint, Once(title, values, ("WEBHOOK_SECRET",), "verify_webhook", KIND.url(endpoint)))


@require_POST
@staff_required("messaging.manage_apiclient")
def webhook_pause(request: StaffRequest, public_id: str) -> HttpResponse:
    done = _("Paused. Its events wait for at most 30 days.")
    endpoint = find_endpoint(public_id)
    attempt(request, webhooks.pause_endpoint, done=done, endpoint=endpoint, user=request.user, now=db_now())
    return redirect("webhook_detail", public_id)


@require_POST
@staff_required("messaging.manage_apiclient")
def webhook_resume(request: StaffRequest, public_id: str) -> HttpResponse:
    done = _("It goes on, at once with everything that waited.")
    endpoint = find_endpoint(public_id)
    if attempt(request, webhooks.resume_endpoint, done=done, endpoint=endpoint, user=request.user, now=db_now()):
        nudges.deliver_webhooks()
    return redirect("webhook_detail", public_id)


@staff_required("messaging.manage_apiclient")
def webhook_disable(request: StaffRequest, public_id: str) -> HttpResponse:
    """Also the way to say that one has seen an endpoint which ended by itself."""
    endpoint = find_endpoint(public_id)
    words = _("For good: nothing is written for it any more, and what waits is given up. Its log stays readable.")
    title = _("Disable “%s”?") % endpoint
    sheet = Sheet(title, _("Disable it"), request.path, KIND.url(endpoint), words, danger=True)
    return ask_or_do(request, sheet, webhooks.disable_endpoint, done=_("Disabled."), endpoint=endpoint)


def find_endpoint(public_id: str) -> WebhookEndpoint:
    """Or a 404."""
    rows = WebhookEndpoint.objects.select_related("owner", "client", "door_client")
    return get_object_or_404(rows, public_id=public_id)

"""API clients on screens: made, changed, given keys, ended."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazily
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from messaging import clients
from messaging.clock import db_now
from messaging.models import ApiClient, ApiKey
from messaging.web.developers.forms import ApiClientForm, KeyForm
from messaging.web.developers.parts import (
    Kind,
    Once,
    ask_or_do,
    ask_to_disable,
    ask_to_revoke,
    enable,
    key_badge,
    lately,
)
from messaging.web.frame.answers import ask, attempt_form, posted
from messaging.web.frame.decorators import StaffRequest, staff_required
from messaging.web.frame.parts import Sheet

KEYS = 20  # of a client, revoked ones too
KIND = Kind(
    "api_client_detail",
    lazily("Add an API client"),
    lazily("You get its first key right afterwards, once."),
    lazily("Its keys stay as they are."),
)


@never_cache
@staff_required("messaging.manage_apiclient")
def api_client_new(request: StaffRequest) -> HttpResponse:
    form = ApiClientForm(posted(request))
    if form.is_valid():
        made = attempt_form(form, _create, user=request.user, now=db_now(), **form.cleaned_data)
        if made:
            messages.success(request, _("Client added. Copy what is shown now; then try an example."))
            return _show_key(request, *made)
    return KIND.form(request, form)


@transaction.atomic
def _create(*, user: User, now: datetime, expires_at: datetime | None, **settings: Any) -> tuple[ApiClient, str]:
    """The user's client and its first key: both or neither."""
    client = clients.create_client(owner=user, user=user, now=now, **settings)
    return client, clients.add_key(client=client, user=user, now=now, expires_at=expires_at)


@staff_required("messaging.manage_apiclient")
def api_client_detail(request: StaffRequest, public_id: str) -> HttpResponse:
    return _page(request, _get(public_id))


def _page(request: StaffRequest, client: ApiClient, once: Once | None = None) -> HttpResponse:
    now = db_now()
    context = {
        "client": client,
        "keys": [(key, key_badge(key, now)) for key in client.keys.all()[:KEYS]],
        "endpoints": list(client.endpoints.all()[:KEYS]),
        "acts": lately(client),
        "mine": client.owner == request.user,
        "once": once,
    }
    return render(request, "messaging/api_client_detail.html", context)


@staff_required("messaging.manage_apiclient")
def api_client_edit(request: StaffRequest, public_id: str) -> HttpResponse:
    client = _get(public_id)
    form = ApiClientForm(posted(request), instance=client)
    if form.is_valid() and attempt_form(
        form, clients.update_client, client=client, user=request.user, now=db_now(), **form.cleaned_data
    ):
        messages.success(request, _("Saved."))
        return redirect(KIND.url(client))
    return KIND.form(request, form, client)


@never_cache
@staff_required("messaging.manage_apiclient")
def api_client_key(request: StaffRequest, public_id: str) -> HttpResponse:
    """A second key, so that the other system can change over while the first still works."""
    client = _get(public_id)
    form = KeyForm(posted(request))
    if form.is_valid():
        key = attempt_form(form, clients.add_key, client=client, user=request.user, now=db_now(), **form.cleaned_data)
        if key:
            return _show_key(request, client, key)
    words = _("It is shown once. The key before it stays valid until you revoke it; two may be valid at once.")
    return ask(request, Sheet(_("Another key?"), _("Make a key"), request.path, KIND.url(client), words, form=form))


def _show_key(request: StaffRequest, client: ApiClient, key: str) -> HttpResponse:
    """Answered to the POST itself, so that the key is in no URL, session or history."""
    title = _("Copy the key now: it is not shown again")
    return _page(
        request, client, Once(title, [(_("Key"), key)], ("SWITCHBOARD_KEY",), "send_template", KIND.url(client))
    )


@staff_required("messaging.manage_apiclient")
def api_key_revoke(request: StaffRequest, public_id: str, pk: int) -> HttpResponse:
    client = _get(public_id)
    key = get_object_or_404(ApiKey, client=client, pk=pk)
    return ask_to_revoke(request, clients.revoke_key, key=key, name=key.prefix, back=KIND.url(client))


@staff_required("messaging.manage_apiclient")
def api_client_take_over(request: StaffRequest, public_id: str) -> HttpResponse:
    client = _get(public_id)
    words = _("What it does counts as yours from now on, so its keys end: make a new one afterwards.")
    title = _("Take “%(name)s” over?") % {"name": client.name}
    sheet = Sheet(title, _("Take it over"), request.path, KIND.url(client), words, danger=True)
    return ask_or_do(request, sheet, clients.take_over, done=_("It is yours now."), client=client)


@staff_required("messaging.manage_apiclient")
def api_client_disable(request: StaffRequest, public_id: str) -> HttpResponse:
    client = _get(public_id)
    words = _("All its keys are refused from the next request on. What it sent before goes on its way.")
    return ask_to_disable(request, clients.disable_client, client=client, words=words, back=KIND.url(client))


@require_POST
@staff_required("messaging.manage_apiclient")
def api_client_enable(request: StaffRequest, public_id: str) -> HttpResponse:
    client = _get(public_id)
    done = _("Its keys that were not revoked are valid again.")
    return enable(request, clients.enable_client, client=client, done=done, back=KIND.url(client))


def _get(public_id: str) -> ApiClient:
    return get_object_or_404(ApiClient.objects.select_related("owner"), public_id=public_id)

"""Door clients on screens: made, changed, given pairs, watched, ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import User
from django.db import transaction
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazily
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from messaging import doorkeeping, webhooks
from messaging.clock import db_now
from messaging.models import Connection, DoorClient, DoorKey
from messaging.web.developers.figures import LATELY
from messaging.web.developers.forms import DoorClientForm
from messaging.web.developers.parts import Kind, Once, ask_to_disable, ask_to_revoke, enable, key_badge, lately
from messaging.web.frame.answers import ask, attempt, attempt_form, posted
from messaging.web.frame.decorators import StaffRequest, staff_required
from messaging.web.frame.paging import paginate
from messaging.web.frame.parts import Sheet
from messaging.web.frame.words import reason_words

KEYS = 20  # of a client, revoked ones too
KIND = Kind(
    "door_client_detail",
    lazily("Add a door client"),
    lazily("You get its APP_KEY and APP_SECRET right afterwards, once."),
    lazily("A new mode holds from the next call on. Its pairs stay as they are."),
)
Urls = Mapping[str, str]


@never_cache
@staff_required("messaging.manage_apiclient")
def door_client_new(request: StaffRequest) -> HttpResponse:
    form = DoorClientForm(posted(request), initial={"owner": request.user, "connection": Connection.objects.first()})
    if form.is_valid():
        made = attempt_form(form, _create, urls=form.urls, user=request.user, now=db_now(), **form.settings)
        if made:
            messages.success(request, _("Client added. Copy what is shown now; then try an example."))
            return _show_pair(request, *made)
    return KIND.form(request, form)


@transaction.atomic
def _create(*, urls: Urls, user: User, now: datetime, **settings: Any) -> tuple[DoorClient, tuple[str, str]]:
    """The client, its URLs and its first pair: all of it or nothing."""
    client = doorkeeping.create_door_client(user=user, now=now, **settings)
    webhooks.set_door_urls(door_client=client, urls=urls, user=user, now=now)
    return client, doorkeeping.rotate_door_key(client=client, user=user, now=now)


@transaction.atomic
def _update(*, client: DoorClient, urls: Urls, user: User, now: datetime, **changes: Any) -> DoorClient:
    webhooks.set_door_urls(door_client=client, urls=urls, user=user, now=now)
    return doorkeeping.update_door_client(client=client, user=user, now=now, **changes)


@staff_required("messaging.manage_apiclient")
def door_client_detail(request: StaffRequest, public_id: str) -> HttpResponse:
    return _page(request, _get(public_id))


def _page(request: StaffRequest, client: DoorClient, once: Once | None = None) -> HttpResponse:
    now = db_now()
    counts = doorkeeping.count_let_pass(client, now - LATELY)
    context = {
        "client": client,
        "keys": [(key, key_badge(key, now)) for key in client.keys.all()[:KEYS]],
        "endpoints": list(webhooks.door_endpoints(client)),
        "passed": [(reason_words(reason), many) for reason, many in counts.items()],
        "page": paginate(doorkeeping.let_pass(client, now - LATELY), request, "-at", "-pk"),
        "acts": lately(client),
        "host": settings.PUBLIC_URL,
        "once": once,
    }
    return render(request, "messaging/door_client_detail.html", context)


@staff_required("messaging.manage_apiclient")
def door_client_edit(request: StaffRequest, public_id: str) -> HttpResponse:
    client = _get(public_id)
    known = {one.format: one.url for one in webhooks.door_endpoints(client)}
    initial = {name: known.get(shape, "") for shape, name in DoorClientForm.URLS.items()}
    form = DoorClientForm(posted(request), instance=client, initial=initial)
    if form.is_valid() and attempt_form(
        form, _update, client=client, urls=form.urls, user=request.user, now=db_now(), **form.settings
    ):
        messages.success(request, _("Saved."))
        return redirect(KIND.url(client))
    return KIND.form(request, form, client)


@never_cache
@staff_required("messaging.manage_apiclient")
def door_client_pair(request: StaffRequest, public_id: str) -> HttpResponse:
    client = _get(public_id)
    if request.method == "POST":
        pair = attempt(request, doorkeeping.rotate_door_key, client=client, user=request.user, now=db_now())
        return _show_pair(request, client, pair) if pair else redirect(KIND.url(client))
    words = _("It is shown once. The newest pair before it stays valid until you revoke it; older ones end now.")
    return ask(request, Sheet(_("Another pair?"), _("Make a pair"), request.path, KIND.url(client), words))


def _show_pair(request: StaffRequest, client: DoorClient, pair: tuple[str, str]) -> HttpResponse:
    """Answered to the POST itself, so that the secret is in no URL, session or history."""
    title = _("Copy both now: the secret is not shown again")
    values = [("APP_KEY (user)", pair[0]), ("APP_SECRET (pass)", pair[1])]
    return _page(request, client, Once(title, values, ("APP_KEY", "APP_SECRET"), "call_door", KIND.url(client)))


@staff_required("messaging.manage_apiclient")
def door_key_revoke(request: StaffRequest, public_id: str, pk: int) -> HttpResponse:
    client = _get(public_id)
    key = get_object_or_404(DoorKey, client=client, pk=pk)
    return ask_to_revoke(request, doorkeeping.revoke_door_key, key=key, name=key.app_key, back=KIND.url(client))


@staff_required("messaging.manage_apiclient")
def door_client_disable(request: StaffRequest, public_id: str) -> HttpResponse:
    client = _get(public_id)
    words = _("Its calls are answered with 412 from the next one on. What it sent before goes on its way.")
    return ask_to_disable(request, doorkeeping.disable_door_client, client=client, words=words, back=KIND.url(client))


@require_POST
@staff_required("messaging.manage_apiclient")
def door_client_enable(request: StaffRequest, public_id: str) -> HttpResponse:
    client = _get(public_id)
    done = _("Its pairs that were not revoked are valid again.")
    return enable(request, doorkeeping.enable_door_client, client=client, done=done, back=KIND.url(client))


def _get(public_id: str) -> DoorClient:
    return get_object_or_404(DoorClient.objects.select_related("owner", "connection"), public_id=public_id)

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
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from messaging import doorkeeping, webhooks
from messaging.clock import db_now
from messaging.models import Connection, DoorClient, DoorKey
from messaging.web.developers.figures import LATELY
from messaging.web.developers.forms import DoorClientForm
from messaging.web.developers.parts import Once, ask_or_do, key_badge, lately
from messaging.web.frame.answers import ask, attempt, attempt_form, posted
from messaging.web.frame.decorators import StaffRequest, staff_required
from messaging.web.frame.paging import paginate
from messaging.web.frame.parts import Sheet
from messaging.web.frame.words import reason_words

KEYS = 20  # of a client, revoked ones too
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
    return _form(request, form, None)


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
        return redirect("door_client_detail", public_id)
    return _form(request, form, client)


def _form(request: StaffRequest, form: DoorClientForm, client: DoorClient | None) -> HttpResponse:
    context = {"form": form, "client": client}
    return render(request, "messaging/door_client_form.html", context, status=422 if form.errors else 200)


@never_cache
@staff_required("messaging.manage_apiclient")
def door_client_pair(request: StaffRequest, public_id: str) -> HttpResponse:
    client = _get(public_id)
    if request.method == "POST":
        pair = attempt(request, doorkeeping.rotate_door_key, client=client, user=request.user, now=db_now())
        return _show_pair(request, client, pair) if pair else redirect("door_client_detail", public_id)
    words = _("It is shown once. The newest pair before it stays valid until you revoke it; older ones end now.")
    return ask(request, Sheet(_("Another pair?"), _("Make a pair"), request.path, _url(client), words))


def _show_pair(request: StaffRequest, client: DoorClient, pair: tuple[str, str]) -> HttpResponse:
    """Answered to the POST itself, so that the secret is in no URL, session or history."""
    title = _("Copy both now: the secret is not shown again")
    return _page(request, client, Once(title, [("APP_KEY (user)", pair[0]), ("APP_SECRET (pass)", pair[1])]))


@staff_required("messaging.manage_apiclient")
def door_key_revoke(request: StaffRequest, public_id: str, pk: int) -> HttpResponse:
    client = _get(public_id)
    key = get_object_or_404(DoorKey, client=client, pk=pk)
    words = _("It is refused from the next call on. Whatever still uses it stops working.")
    title = _("Revoke %(key)s?") % {"key": key.app_key}
    sheet = Sheet(title, _("Revoke it"), request.path, _url(client), words, danger=True)
    return ask_or_do(request, sheet, doorkeeping.revoke_door_key, done=_("Revoked."), key=key)


@staff_required("messaging.manage_apiclient")
def door_client_disable(request: StaffRequest, public_id: str) -> HttpResponse:
    client = _get(public_id)
    words = _("Its calls are answered with 412 from the next one on. What it sent before goes on its way.")
    title = _("Disable “%(name)s”?") % {"name": client.name}
    sheet = Sheet(title, _("Disable it"), request.path, _url(client), words, danger=True)
    return ask_or_do(request, sheet, doorkeeping.disable_door_client, done=_("Disabled."), client=client)


@require_POST
@staff_required("messaging.manage_apiclient")
def door_client_enable(request: StaffRequest, public_id: str) -> HttpResponse:
    client = _get(public_id)
    done = _("Its pairs that were not revoked are valid again.")
    attempt(request, doorkeeping.enable_door_client, done=done, client=client, user=request.user, now=db_now())
    return redirect("door_client_detail", public_id)


def _get(public_id: str) -> DoorClient:
    return get_object_or_404(DoorClient.objects.select_related("owner", "connection"), public_id=public_id)


def _url(client: DoorClient) -> str:
    return reverse("door_client_detail", args=[client.public_id])

"""Connections: the accounts at providers, their limits, their hooks, and what stopped them."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from messaging import connections as accounts
from messaging import nudges, restoring
from messaging.audit import history
from messaging.clock import db_now
from messaging.models import Connection, Incident
from messaging.web.connections.code_table import answer_rows, dn_rows
from messaging.web.connections.figures import act_words, last_signs, next_step, thaw_words, trouble, waiting_words
from messaging.web.connections.forms import ConnectionForm
from messaging.web.frame.answers import ask, attempt, attempt_form, go, posted
from messaging.web.frame.decorators import StaffRequest, staff_required
from messaging.web.frame.parts import Sheet

CLOSED = 10  # past incidents and audit events on a connection's page


@staff_required("messaging.view_connection")
def connection_list(request: StaffRequest) -> HttpResponse:
    connections = list(Connection.objects.all())
    signs = last_signs(connections)
    troubles = trouble(connections)
    rows = [(one, signs[one.pk], troubles.get(one.pk, [])) for one in connections]
    return render(request, "messaging/connection_list.html", {"rows": rows})


@staff_required("messaging.view_connection")
def connection_codes(request: StaffRequest) -> HttpResponse:
    """The table of retries: what each code means for sending."""
    return render(request, "messaging/connection_codes.html", {"answers": answer_rows(), "notices": dn_rows()})


@staff_required("messaging.view_connection")
def connection_detail(request: StaffRequest, public_id: str) -> HttpResponse:
    connection = _get(public_id)
    return render(request, "messaging/connection_detail.html", _detail(connection))


def _detail(connection: Connection, urls: dict[str, str] | None = None) -> dict[str, Any]:
    closed = connection.incidents.exclude(closed_at=None).select_related("closed_by")
    return {
        "connection": connection,
        "signs": last_signs([connection])[connection.pk],
        "incidents": trouble([connection]).get(connection.pk, []),
        "next_step": next_step(connection),
        "waiting": waiting_words(connection) if connection.state != Connection.State.OK else "",
        "closed": list(closed.order_by("-closed_at")[:CLOSED]),
        "acts": [(event, act_words(event)) for event in history(connection).reverse()[:CLOSED]],
        "tokens": list(connection.hook_tokens.filter(revoked_at=None).order_by("-pk")),
        "urls": urls,
    }


@never_cache
@staff_required("messaging.add_connection")
def connection_new(request: StaffRequest) -> HttpResponse:
    form = ConnectionForm(posted(request))
    if form.is_valid():
        created = attempt_form(form, accounts.create_connection, user=request.user, now=db_now(), **form.settings)
        if created:
            connection, token = created
            messages.success(request, _("The connection is there. Give the provider these two addresses now."))
            return _show_urls(request, connection, token)
    return _form(request, form, None)


@staff_required("messaging.change_connection")
def connection_edit(request: StaffRequest, public_id: str) -> HttpResponse:
    connection = _get(public_id)
    form = ConnectionForm(posted(request), instance=connection)
    saved = None
    if form.is_valid():
        saved = attempt_form(
            form, accounts.update_connection, connection=connection, user=request.user, now=db_now(), **form.settings
        )
    if saved:
        messages.success(request, _("Saved."))
        return redirect("connection_detail", public_id)
    return _form(request, form, connection)


def _form(request: StaffRequest, form: ConnectionForm, connection: Connection | None) -> HttpResponse:
    context = {"form": form, "connection": connection}
    return render(request, "messaging/connection_form.html", context, status=422 if form.errors else 200)


@never_cache
@staff_required("messaging.change_connection")
def connection_rotate(request: StaffRequest, public_id: str) -> HttpResponse:
    connection = _get(public_id)
    if request.method == "POST":
        token = attempt(request, accounts.rotate_hook_token, connection=connection, user=request.user, now=db_now())
        return _show_urls(request, connection, token) if token else redirect("connection_detail", public_id)
    words = _("You get new addresses, shown once. The present ones stay valid until the next rotation; older ones end.")
    here, page = reverse("connection_rotate", args=[public_id]), reverse("connection_detail", args=[public_id])
    return ask(request, Sheet(_("New hook addresses?"), _("Make new addresses"), here, page, words))


def _show_urls(request: StaffRequest, connection: Connection, token: str) -> HttpResponse:
    """Answered to the POST itself, so that the secret is in no URL, session or history."""
    return render(request, "messaging/connection_detail.html", _detail(connection, accounts.hook_urls(token)))


@require_POST
@staff_required("messaging.change_connection")
def connection_test(request: StaffRequest, public_id: str) -> HttpResponse:
    """Ask the provider for the balance: proves address, key and secret without sending anything."""
    connection = _get(public_id)
    outcome = accounts.check_balance(connection=connection, now=db_now())
    if outcome.ok:
        said = _("It works: the balance is %(currency)s %(balance)s.")
        messages.success(request, said % {"currency": outcome.currency, "balance": outcome.balance})
    else:
        said = _("The provider did not give the balance: %s")
        messages.error(request, said % (outcome.desc or outcome.error or outcome.code or _("no answer")))
    return redirect("connection_detail", public_id)


@staff_required("messaging.resume_connection")
def connection_pause(request: StaffRequest, public_id: str) -> HttpResponse:
    connection = _get(public_id)
    page = reverse("connection_detail", args=[public_id])
    if request.method == "POST":
        done = _("Paused. No message changes; they wait.")
        attempt(request, accounts.pause_connection, done=done, connection=connection, user=request.user, now=db_now())
        return go(request, page)
    words = _("Nothing more leaves here until somebody resumes it. Campaigns keep their place; incoming goes on.")
    here = reverse("connection_pause", args=[public_id])
    return ask(request, Sheet(_("Pause “%s”?") % connection, _("Pause"), here, page, words, danger=True))


@require_POST
@staff_required("messaging.resume_connection")
def connection_resume(request: StaffRequest, public_id: str) -> HttpResponse:
    """One click, from wherever it was seen that it stopped."""
    connection = _get(public_id)
    done = _("“%s” sends again; what waited goes on.") % connection
    if attempt(request, accounts.resume_connection, done=done, connection=connection, user=request.user, now=db_now()):
        nudges.drain(connection.pk)
    back = request.POST.get("next")
    return redirect("dashboard") if back == "dashboard" else redirect("connection_detail", public_id)


@staff_required("messaging.resume_connection")
def connection_thaw(request: StaffRequest, public_id: str) -> HttpResponse:
    """After a restored backup: says what becomes of the messages, and goes on only when a person agrees."""
    connection = _get(public_id)
    page = reverse("connection_detail", args=[public_id])
    if request.method == "POST":
        thawed = attempt(request, restoring.thaw, connection=connection, user=request.user, now=db_now())
        if thawed is not None:
            said = ngettext(
                "It sends again. %s message is unknown.", "It sends again. %s messages are unknown.", thawed
            )
            messages.success(request, said % thawed)
            nudges.drain(connection.pk)
        return go(request, page)
    here = reverse("connection_thaw", args=[public_id])
    title, words = _("Go on after the restore of “%s”?") % connection, thaw_words(restoring.thaw_preview(connection))
    return ask(request, Sheet(title, _("I have compared, go on"), here, page, words, danger=True))


@require_POST
@staff_required("messaging.resume_connection")
def incident_close(request: StaffRequest, pk: int) -> HttpResponse:
    """Seen to: for what no resuming closes."""
    incident = get_object_or_404(Incident, pk=pk)
    done = _("Closed.")
    attempt(request, accounts.close_incident, done=done, incident=incident, user=request.user, now=db_now())
    back = request.POST.get("next")
    return (
        redirect("dashboard") if back == "dashboard" else redirect("connection_detail", incident.connection.public_id)
    )


def _get(public_id: str) -> Connection:
    return get_object_or_404(Connection, public_id=public_id)

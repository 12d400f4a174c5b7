"""People: the list, one person's page, and what staff do there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import Exists, Max, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from contacts import consent, directory
from contacts.models import ConsentEvent, Contact, ContactField, ContactList, ListMembership, Suppression
from messaging import inbox, people
from messaging.clock import db_now
from messaging.models import Conversation
from messaging.policy import SESSION_WINDOW, window_ends_at
from messaging.statuses import Channel
from messaging.web.answers import ask, attempt, attempt_form, go
from messaging.web.contact_forms import ConsentForm, MembershipForm, PersonForm
from messaging.web.decorators import staff_required
from messaging.web.paging import paginate
from messaging.web.parts import Choice, Search, Sheet

TIMELINE = 30
REACH = [
    ("", gettext_lazy("Everybody")),
    ("open", gettext_lazy("Window open now")),
    ("opted_out", gettext_lazy("Opted out")),
    ("bad", gettext_lazy("Number does not work")),
]


@dataclass(frozen=True)
class Row:
    """A person in the list, with what stops us from writing to them."""

    contact: Contact
    window_ends_at: datetime | None
    suppressions: list[Suppression]


@staff_required("contacts.view_contact")
def contact_list(request: HttpRequest) -> HttpResponse:
    words, listed, reach = (request.GET.get(name, "") for name in ("q", "list", "reach"))
    lists = list(ContactList.objects.all())
    chosen = next((one for one in lists if str(one.public_id) == listed), None)
    found = _reach(Contact.objects.living().search(words), reach)
    if chosen:
        found = found.filter(listmembership__contact_list=chosen)
    page = paginate(found.prefetch_related("lists"), request, "-pk")
    return render(
        request,
        "messaging/contact_list.html",
        {
            "page": page,
            "rows": _rows(page.rows),
            "searching": bool(words or chosen or reach),
            "chosen": chosen,
            "filters": [
                Search("q", _("Name or number"), words, _("Aminah, 012-324…")),
                Choice("list", _("List"), listed, [("", _("All")), *((str(one.public_id), one.name) for one in lists)]),
                Choice("reach", _("Show"), reach, REACH),
            ],
        },
    )


def _reach(found: QuerySet[Contact], reach: str) -> QuerySet[Contact]:
    if reach == "bad":
        return found.exclude(whatsapp_bad_at=None) | found.exclude(sms_bad_at=None)
    if reach == "opted_out":
        return found.filter(Exists(Suppression.objects.filter(address_hmac=OuterRef("address_hmac"))))
    if reach == "open":
        mine = Conversation.objects.filter(contact=OuterRef("pk"), channel=Channel.WHATSAPP)
        return found.filter(Exists(mine.filter(last_mo_at__gte=db_now() - SESSION_WINDOW)))
    return found


def _rows(contacts: Sequence[Contact]) -> list[Row]:
    suppressed = consent.suppressions_for(bytes(one.address_hmac) for one in contacts if one.address_hmac)
    wrote = dict(
        Conversation.objects.filter(contact__in=contacts, channel=Channel.WHATSAPP)
        .order_by()
        .values_list("contact")
        .annotate(Max("last_mo_at"))
    )
    return [
        Row(one, window_ends_at(wrote.get(one.pk)), suppressed.get(bytes(one.address_hmac or b""), []))
        for one in contacts
    ]


@staff_required("contacts.view_contact")
def contact_detail(request: HttpRequest, public_id: str) -> HttpResponse:
    contact = _get(public_id)
    conversations = list(contact.conversations.select_related("connection", "owner").order_by("-last_message_at", "pk"))
    return render(
        request,
        "messaging/contact_detail.html",
        {
            "contact": contact,
            "row": _rows([contact])[0],
            "fields": _fields(contact),
            "lists": list(contact.lists.all()),
            "consents": list(contact.consent_events.select_related("actor").order_by("-at", "-pk")[:20]),
            "conversations": conversations,
            "entries": inbox.timeline(contact, limit=TIMELINE),
        },
    )


def _fields(contact: Contact) -> list[tuple[str, str]]:
    labels = dict(ContactField.objects.values_list("key", "label"))
    return [(labels.get(key, key), value) for key, value in contact.fields.items()]


@staff_required("contacts.add_contact")
def contact_new(request: HttpRequest) -> HttpResponse:
    form = PersonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        contact, created = directory.upsert_contact(msisdn=form.cleaned_data["number"], **form.person)
        said = _("%s was added.") if created else _("%s was known already; what you wrote was added.")
        messages.success(request, said % contact)
        return redirect("contact_detail", contact.public_id)
    return render(request, "messaging/contact_form.html", {"form": form}, status=422 if form.errors else 200)


@staff_required("contacts.change_contact")
def contact_edit(request: HttpRequest, public_id: str) -> HttpResponse:
    contact = _get(public_id)
    form = PersonForm(request.POST or None, contact=contact)
    if request.method == "POST" and form.is_valid():
        directory.edit_contact(contact=contact, **form.person)
        messages.success(request, _("Saved."))
        return redirect("contact_detail", contact.public_id)
    context = {"form": form, "contact": contact}
    return render(request, "messaging/contact_form.html", context, status=422 if form.errors else 200)


@staff_required("contacts.change_contactlist")
def contact_lists(request: HttpRequest, public_id: str) -> HttpResponse:
    contact = _get(public_id)
    form = MembershipForm(request.POST or None, initial={"lists": contact.lists.all()})
    if request.method == "POST" and form.is_valid():
        _put_into(contact, form.cleaned_data["lists"])
        messages.success(request, _("Lists saved."))
        return go(request, _page_of(contact))
    here = reverse("contact_lists", args=[public_id])
    title = _("Lists of %s") % contact
    return ask(request, Sheet(title, _("Save"), here, _page_of(contact), form=form))


@transaction.atomic
def _put_into(contact: Contact, lists: QuerySet[ContactList]) -> None:
    ListMembership.objects.filter(contact=contact).exclude(contact_list__in=lists).delete()
    ListMembership.objects.bulk_create(
        [ListMembership(contact=contact, contact_list=one) for one in lists], ignore_conflicts=True
    )


@staff_required("contacts.opt_out_contact")
def contact_opt_out(request: HttpRequest, public_id: str) -> HttpResponse:
    return _consent(request, _get(public_id), ConsentEvent.Direction.OUT)


@staff_required("contacts.opt_out_contact")
def contact_opt_in(request: HttpRequest, public_id: str) -> HttpResponse:
    return _consent(request, _get(public_id), ConsentEvent.Direction.IN)


def _consent(request: HttpRequest, contact: Contact, direction: str) -> HttpResponse:
    out = direction == ConsentEvent.Direction.OUT
    service: Any = people.opt_out if out else people.opt_in
    form = ConsentForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        changed = attempt_form(form, service, contact=contact, user=request.user, now=db_now(), **form.cleaned_data)
        if not form.errors:
            messages.success(request, _("Written down.") if changed else _("Written down; nothing changed by it."))
            return go(request, _page_of(contact))
    sheet = Sheet(
        (_("Stop writing to %s?") if out else _("May we write to %s again?")) % contact,
        _("Opt out") if out else _("Opt in"),
        reverse("contact_opt_out" if out else "contact_opt_in", args=[contact.public_id]),
        _page_of(contact),
        _("Nothing more is sent to them in this scope, from this moment, by any campaign or system.")
        if out
        else _("This lifts what stops us, also a STOP of their own. Only with their words."),
        danger=out,
        form=form,
    )
    return ask(request, sheet)


@require_POST
@staff_required("contacts.change_contact")
def contact_reachable(request: HttpRequest, public_id: str, channel: str) -> HttpResponse:
    contact = _get(public_id)
    done = _("The number counts as working again.")
    attempt(request, people.clear_bad, done=done, contact=contact, channel=channel, user=request.user, now=db_now())
    return redirect("contact_detail", public_id)


def _get(public_id: str) -> Contact:
    return get_object_or_404(Contact.objects.living(), public_id=public_id)


def _page_of(contact: Contact) -> str:
    return reverse("contact_detail", args=[contact.public_id])

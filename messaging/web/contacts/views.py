"""People: the list, one person's page, and what staff do there."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts import consent, directory
from contacts.models import Contact, ContactField, ContactList, Suppression
from messaging import inbox
from messaging.clock import db_now
from messaging.models import Conversation, Message
from messaging.policy import SESSION_WINDOW, window_ends_at
from messaging.statuses import Channel
from messaging.web.contacts.forms import PersonForm
from messaging.web.contacts.scopes import stopped_short
from messaging.web.frame.answers import posted
from messaging.web.frame.decorators import StaffRequest, staff_required
from messaging.web.frame.paging import paginate
from messaging.web.frame.parts import Choice, Search

TIMELINE = 30
CAMPAIGNS = 8
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

    @property
    def opted_out_words(self) -> str:
        return stopped_short(self.suppressions)


@staff_required("contacts.view_contact")
def contact_list(request: StaffRequest) -> HttpResponse:
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
        return found.filter(Q(whatsapp_bad_at__isnull=False) | Q(sms_bad_at__isnull=False))
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
def contact_detail(request: StaffRequest, public_id: str) -> HttpResponse:
    contact = get_contact(public_id)
    may_see_campaigns = request.user.has_perm("messaging.view_campaign")
    in_campaigns = Message.objects.in_campaigns(contact.pk).select_related("campaign")
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
            "in_campaigns": list(in_campaigns[:CAMPAIGNS]) if may_see_campaigns else [],
            "entries": inbox.timeline(contact, limit=TIMELINE),
        },
    )


def _fields(contact: Contact) -> list[tuple[str, str]]:
    labels = dict(ContactField.objects.values_list("key", "label"))
    return [(labels.get(key, key), value) for key, value in contact.fields.items()]


@staff_required("contacts.add_contact")
def contact_new(request: StaffRequest) -> HttpResponse:
    form = PersonForm(posted(request))
    if form.is_valid():
        contact, created = directory.upsert_contact(msisdn=form.cleaned_data["number"], **form.person)
        said = _("%s was added.") if created else _("%s was known already; what you wrote was added.")
        messages.success(request, said % contact)
        return redirect("contact_detail", contact.public_id)
    return render(request, "messaging/contact_form.html", {"form": form}, status=422 if form.errors else 200)


@staff_required("contacts.change_contact")
def contact_edit(request: StaffRequest, public_id: str) -> HttpResponse:
    contact = get_contact(public_id)
    form = PersonForm(posted(request), contact=contact)
    if form.is_valid():
        directory.edit_contact(contact=contact, **form.person)
        messages.success(request, _("Saved."))
        return redirect("contact_detail", contact.public_id)
    context = {"form": form, "contact": contact}
    return render(request, "messaging/contact_form.html", context, status=422 if form.errors else 200)


def get_contact(public_id: str) -> Contact:
    return get_object_or_404(Contact.objects.living(), public_id=public_id)

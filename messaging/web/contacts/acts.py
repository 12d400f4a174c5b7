"""What staff do on a person's page beside editing: lists, consent, numbers that work after all."""

from typing import Any

from django.contrib import messages
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contacts.models import ConsentEvent, Contact, ContactList, ListMembership
from messaging import people
from messaging.clock import db_now
from messaging.web.contacts.forms import ConsentForm, MembershipForm
from messaging.web.contacts.views import get_contact
from messaging.web.frame.answers import ask, attempt, attempt_form, go, posted
from messaging.web.frame.decorators import StaffRequest, staff_required
from messaging.web.frame.parts import Sheet


@staff_required("contacts.change_contactlist")
def contact_lists(request: StaffRequest, public_id: str) -> HttpResponse:
    contact = get_contact(public_id)
    form = MembershipForm(posted(request), initial={"lists": contact.lists.all()})
    if form.is_valid():
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
def contact_opt_out(request: StaffRequest, public_id: str) -> HttpResponse:
    return _consent(request, get_contact(public_id), ConsentEvent.Direction.OUT)


@staff_required("contacts.opt_out_contact")
def contact_opt_in(request: StaffRequest, public_id: str) -> HttpResponse:
    return _consent(request, get_contact(public_id), ConsentEvent.Direction.IN)


def _consent(request: StaffRequest, contact: Contact, direction: str) -> HttpResponse:
    out = direction == ConsentEvent.Direction.OUT
    service: Any = people.opt_out if out else people.opt_in
    form = ConsentForm(posted(request))
    if form.is_valid():
        changed = attempt_form(form, service, contact=contact, user=request.user, now=db_now(), **form.cleaned_data)
        if not form.errors:
            messages.success(request, _("Written down.") if changed else _("Written down; nothing changed by it."))
            return go(request, _page_of(contact))
    sheet = Sheet(
        (_("Stop writing to %s?") if out else _("May we write to %s again?")) % contact,
        _("Opt out") if out else _("Opt in"),
        reverse("contact_opt_out" if out else "contact_opt_in", args=[contact.public_id]),
        _page_of(contact),
        _("From this moment no campaign and no system sends them anything of what you choose here.")
        if out
        else _("This lifts what stops us, also a STOP of their own. Only with their words."),
        danger=out,
        form=form,
    )
    return ask(request, sheet)


@require_POST
@staff_required("contacts.change_contact")
def contact_reachable(request: StaffRequest, public_id: str, channel: str) -> HttpResponse:
    contact = get_contact(public_id)
    done = _("The number counts as working again.")
    attempt(request, people.clear_bad, done=done, contact=contact, channel=channel, user=request.user, now=db_now())
    return redirect("contact_detail", public_id)


def _page_of(contact: Contact) -> str:
    return reverse("contact_detail", args=[contact.public_id])

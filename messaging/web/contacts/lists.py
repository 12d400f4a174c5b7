"""Lists of people."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _

from contacts.models import ContactList
from messaging.web.contacts.forms import ListForm
from messaging.web.frame.answers import ask, go, posted
from messaging.web.frame.decorators import StaffRequest, staff_required
from messaging.web.frame.parts import Sheet


@staff_required("contacts.view_contactlist")
def list_list(request: StaffRequest) -> HttpResponse:
    lists = ContactList.objects.with_people()
    return render(request, "messaging/list_list.html", {"lists": lists})


@staff_required("contacts.add_contactlist")
def list_new(request: StaffRequest) -> HttpResponse:
    return _form(request, ContactList(), _("New list"), reverse("list_new"))


@staff_required("contacts.change_contactlist")
def list_edit(request: StaffRequest, public_id: str) -> HttpResponse:
    contact_list = get_object_or_404(ContactList, public_id=public_id)
    return _form(request, contact_list, _("Rename the list"), reverse("list_edit", args=[public_id]))


def _form(request: StaffRequest, contact_list: ContactList, title: str, here: str) -> HttpResponse:
    form = ListForm(posted(request), instance=contact_list)
    if form.is_valid():
        form.save()
        messages.success(request, _("Saved."))
        return go(request, reverse("list_list"))
    return ask(request, Sheet(title, _("Save"), here, reverse("list_list"), form=form))

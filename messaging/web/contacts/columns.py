"""Which column of an uploaded file is what: asked before anybody goes in, or mended after an import."""

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contacts.imports import choosing
from contacts.imports.headings import NAME, NUMBER
from contacts.imports.refusal import FileRefused
from contacts.models import ContactImport
from messaging import nudges
from messaging.web.contacts.forms import ColumnsForm
from messaging.web.frame.answers import posted
from messaging.web.frame.decorators import StaffRequest, staff_required

OVER = (ContactImport.State.DONE, ContactImport.State.FAILED)


@staff_required("contacts.add_contactimport")
def import_columns(request: StaffRequest, public_id: str) -> HttpResponse:
    """Of a file that waits for it, or of one that is through: then it is imported once more."""
    imported = get_object_or_404(ContactImport.objects.select_related("contact_list"), public_id=public_id)
    waits = imported.state == ContactImport.State.COLUMNS
    if not waits and imported.state not in OVER:
        return redirect("import_detail", public_id)
    try:
        columns = choosing.columns_of(imported)
    except FileRefused as refusal:
        messages.error(request, refusal.words)
        return redirect("import_detail", public_id)
    form = ColumnsForm(posted(request), columns=columns.choices)
    if form.is_valid():
        chosen = _choose(request, imported, form) if waits else _again(request, imported, form)
        if chosen:
            return redirect("import_detail", chosen.public_id)
    context = {
        "imported": imported,
        "form": form,
        "rows": list(zip(columns.choices, form.visible_fields(), strict=True)),
        "waits": waits,
        "number_known": NUMBER in imported.mapping.values(),
        "name_known": NAME in imported.mapping.values(),
        "headed_by_a_person": columns.headed_by_a_person,
        "only_one": columns.only_one,
    }
    return render(request, "messaging/import_columns.html", context, status=422 if form.errors else 200)


@require_POST
@staff_required("contacts.add_contactimport")
def import_discard(request: StaffRequest, public_id: str) -> HttpResponse:
    imported = get_object_or_404(ContactImport, public_id=public_id)
    if not choosing.discard(imported):
        messages.error(request, _("The file does not wait any more."))
        return redirect("import_detail", public_id)
    messages.success(request, _("%s was thrown away; nobody of it went in.") % imported.file_name)
    return redirect("contact_import")


def _choose(request: StaffRequest, imported: ContactImport, form: ColumnsForm) -> ContactImport:
    if choosing.choose(contact_import=imported, mapping=form.mapping):
        nudges.import_contacts(imported.pk)
    else:
        messages.error(request, _("Somebody else was faster: the columns were chosen already."))
    return imported


def _again(request: StaffRequest, imported: ContactImport, form: ColumnsForm) -> ContactImport | None:
    try:
        again = choosing.import_again(contact_import=imported, mapping=form.mapping, user=request.user)
    except FileRefused as refusal:
        form.add_error(None, refusal.words)
        return None
    nudges.import_contacts(again.pk)
    return again

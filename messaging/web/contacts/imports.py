"""Imports of people: upload, progress, and the rows that did not go in."""

from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath
from typing import BinaryIO, cast

from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from contacts.imports.reader import Sheet
from contacts.imports.refusal import FileRefused
from contacts.imports.service import start_import
from contacts.models import ContactImport
from messaging import nudges
from messaging.web.contacts.forms import ImportForm
from messaging.web.frame.answers import posted
from messaging.web.frame.decorators import StaffRequest, staff_required
from messaging.web.frame.parts import Bar, Piece

SHOWN_BAD_ROWS = 20
RECENT = 10


@dataclass(frozen=True)
class BadRow:
    """A row as the user's spreadsheet numbers it, why it stayed outside, and what stands in it."""

    number: str
    reason: str
    cells: list[str]


@staff_required("contacts.add_contactimport")
def contact_import(request: StaffRequest) -> HttpResponse:
    form = ImportForm(posted(request), request.FILES or None)
    if form.is_valid():
        started = _start(request, form)
        if started:
            return redirect("import_detail", started.public_id)
    recent = ContactImport.objects.select_related("created_by", "contact_list")[:RECENT]
    context = {"form": form, "recent": recent}
    return render(request, "messaging/contact_import.html", context, status=422 if form.errors else 200)


def _start(request: StaffRequest, form: ImportForm) -> ContactImport | None:
    file = form.cleaned_data["file"]
    try:
        with transaction.atomic():  # a refused file makes no list
            started = start_import(
                file=file,
                file_name=file.name,
                contact_list=form.chosen_list(),
                user=request.user,
                encoding=form.cleaned_data["encoding"],
            )
    except FileRefused as refusal:
        form.add_error("encoding" if refusal.code == "encoding" else "file", refusal.words)
        return None
    nudges.import_contacts(started.pk)
    return started


@staff_required("contacts.view_contactimport")
def import_detail(request: StaffRequest, public_id: str) -> HttpResponse:
    """The page; for htmx the part that moves while the import runs."""
    imported = get_object_or_404(
        ContactImport.objects.select_related("contact_list", "created_by"), public_id=public_id
    )
    over = imported.state in (ContactImport.State.DONE, ContactImport.State.FAILED)
    may_see = request.user.has_perm("contacts.add_contactimport")
    context = {
        "imported": imported,
        "over": over,
        "bar": _bar(imported, over),
        "columns": [(title, target) for title, target in imported.mapping.items()],
        "bad_rows": _first_bad_rows(imported) if over and may_see else None,
    }
    part = request.htmx
    return render(request, "messaging/_import_progress.html" if part else "messaging/import_detail.html", context)


@staff_required("contacts.add_contactimport")
def import_bad_rows(_request: HttpRequest, public_id: str) -> FileResponse:
    """The file of bad rows: mend the cells and import it as it is."""
    imported = get_object_or_404(ContactImport, public_id=public_id)
    if not imported.bad_rows:
        raise Http404
    name = f"{PurePath(imported.file_name).stem}.bad.csv"
    return FileResponse(imported.bad_rows.open("rb"), as_attachment=True, filename=name, content_type="text/csv")


def _bar(imported: ContactImport, over: bool) -> Bar:
    done = imported.created + imported.updated + imported.duplicate + imported.bad
    pieces = [
        Piece(_("New people"), imported.created, "ok"),
        Piece(_("Known people, brought up to date"), imported.updated, "info"),
        Piece(_("Twice in the file"), imported.duplicate, "quiet"),
        Piece(_("Bad rows"), imported.bad, "bad"),
    ]
    waiting = Piece(_("Still to read"), max(imported.rows - done, 0), "none")
    return Bar(_("Rows in the file"), pieces if over else [*pieces, waiting])


def _first_bad_rows(imported: ContactImport) -> list[BadRow]:
    if not imported.bad_rows:
        return []
    try:
        with imported.bad_rows.open("rb") as file:
            return _read(Sheet(cast(BinaryIO, file)))
    except FileNotFoundError:
        return []


def _read(sheet: Sheet) -> list[BadRow]:
    """The user's row number and the reason stand behind the input's own columns."""
    number, reason = len(sheet.header) - 2, len(sheet.header) - 1
    shown = islice(sheet.rows(), SHOWN_BAD_ROWS)
    return [BadRow(row.cells[number], row.cells[reason], row.cells[:number]) for row in shown]

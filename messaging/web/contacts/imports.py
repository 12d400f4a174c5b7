"""Imports of people: upload, progress, and the rows that did not go in."""

from dataclasses import dataclass
from itertools import islice
from pathlib import PurePath
from typing import BinaryIO, cast
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from contacts.imports import choosing
from contacts.imports.headings import LANGUAGE, NAME, NUMBER
from contacts.imports.load import SHOWN
from contacts.imports.reader import Sheet
from contacts.imports.refusal import FileRefused
from contacts.imports.service import settle
from contacts.models import ContactField, ContactImport, ImportChange
from messaging import nudges
from messaging.clock import db_now
from messaging.web.contacts.forms import ImportForm
from messaging.web.frame.answers import posted
from messaging.web.frame.decorators import StaffRequest, staff_required
from messaging.web.frame.parts import Bar, Piece

SHOWN_BAD_ROWS = 20
RECENT = 10
GONE = gettext_lazy("The file of bad rows is no longer kept. Upload the original file again to get a new one.")


@dataclass(frozen=True)
class BadRow:
    """A row as the user's spreadsheet numbers it, why it stayed outside, and what stands in it."""

    number: str
    reason: str
    cells: list[str]


@dataclass(frozen=True)
class Change:
    """What the file changed of one known person; `also` has the labels of what is new beside the name."""

    stored: ImportChange
    also: list[str]


@dataclass(frozen=True)
class Changes:
    """Known people of one kind in whom the file changed something: the first of them, and how many there were."""

    count: int
    shown: list[Change]

    @property
    def more(self) -> int:
        """How many are not listed, or were erased since."""
        return self.count - len(self.shown)


@staff_required("contacts.add_contactimport")
def contact_import(request: StaffRequest) -> HttpResponse:
    """`?mends=` names the import whose mended rows come now: its list is chosen beforehand, and they settle it."""
    mended = _mended(request.GET.get("mends", ""))
    form = ImportForm(
        posted(request), request.FILES or None, initial={"contact_list": mended.contact_list if mended else None}
    )
    if form.is_valid():
        started = _start(request, form)
        if started:
            if mended:
                settle(mended, db_now())
            return redirect(_next_page(started), started.public_id)
    recent = ContactImport.objects.select_related("created_by", "contact_list")[:RECENT]
    context = {"form": form, "recent": recent}
    return render(request, "messaging/contact_import.html", context, status=422 if form.errors else 200)


def _mended(asked: str) -> ContactImport | None:
    try:
        return ContactImport.objects.select_related("contact_list").filter(public_id=UUID(asked)).first()
    except ValueError:
        return None


def _start(request: StaffRequest, form: ImportForm) -> ContactImport | None:
    file = form.cleaned_data["file"]
    try:
        with transaction.atomic():  # a refused file makes no list
            started = choosing.receive(
                file=file,
                file_name=file.name,
                contact_list=form.chosen_list(),
                user=request.user,
                encoding=form.cleaned_data["encoding"],
                look_first=form.cleaned_data["look_first"],
            )
    except FileRefused as refusal:
        form.add_error("encoding" if refusal.code == "encoding" else "file", refusal.words)
        return None
    if started.state == ContactImport.State.UPLOADED:
        nudges.import_contacts(started.pk)
    return started


def _next_page(started: ContactImport) -> str:
    return "import_columns" if started.state == ContactImport.State.COLUMNS else "import_detail"


@staff_required("contacts.view_contactimport")
def import_detail(request: StaffRequest, public_id: str) -> HttpResponse:
    """The page; for htmx the part that moves while the import runs."""
    imported = get_object_or_404(
        ContactImport.objects.select_related("contact_list", "created_by"), public_id=public_id
    )
    over = imported.state in (ContactImport.State.DONE, ContactImport.State.FAILED)
    may_see = request.user.has_perm("contacts.add_contactimport")
    columns = [(title, imported.mapping[title]) for title in _titles(imported)]
    context = {
        "imported": imported,
        "over": over,
        "bar": _bar(imported, over),
        "columns": columns,
        "fields": sum(target not in (NUMBER, NAME, LANGUAGE) for _title, target in columns),
        "left_out": [title for title in imported.header if title not in imported.mapping],
        "renamed": _changes(imported, imported.renamed, new_name__gt=""),
        "changed": _changes(imported, imported.changed, new_name=""),
        "duplicates": imported.duplicate_rows[:SHOWN],
        "mixed_dates": _mixed_dates(imported),
        "more_duplicates": imported.duplicate - len(imported.duplicate_rows),
        "bad_rows": _first_bad_rows(imported) if over and may_see else None,
        "may_settle": may_see,
    }
    part = request.htmx
    return render(request, "messaging/_import_progress.html" if part else "messaging/import_detail.html", context)


@require_POST
@staff_required("contacts.add_contactimport")
def import_settle(request: StaffRequest, public_id: str) -> HttpResponse:
    """The dashboard asks for nothing more about it."""
    if settle(get_object_or_404(ContactImport, public_id=public_id), db_now()):
        messages.success(request, _("Done with it. The dashboard does not ask any more."))
    return redirect("import_detail", public_id)


@staff_required("contacts.add_contactimport")
def import_bad_rows(request: HttpRequest, public_id: str) -> HttpResponseBase:
    """The file of bad rows: mend the cells and import it as it is."""
    imported = get_object_or_404(ContactImport, public_id=public_id)
    if not imported.bad_rows:
        raise Http404
    name = f"{PurePath(imported.file_name).stem}.bad.csv"
    try:
        file = imported.bad_rows.open("rb")
    except FileNotFoundError:
        messages.error(request, GONE)
        return redirect("import_detail", public_id)
    return FileResponse(file, as_attachment=True, filename=name, content_type="text/csv")


def _bar(imported: ContactImport, over: bool) -> Bar:
    done = imported.created + imported.updated + imported.duplicate + imported.bad
    pieces = [
        Piece(_("New people"), imported.created, "ok"),
        *_known_people(imported),
        Piece(_("Twice in the file"), imported.duplicate, "unsure"),
        Piece(_("Bad rows"), imported.bad, "bad"),
    ]
    waiting = Piece(_("Still to read"), max(imported.rows - done, 0), "none")
    return Bar(_("Rows in the file"), pieces if over else [*pieces, waiting])


def _known_people(imported: ContactImport) -> list[Piece]:
    if not imported.header:  # from before an import told what it changed
        return [Piece(_("Known people, brought up to date"), imported.updated, "info")]
    as_before = imported.updated - imported.renamed - imported.changed
    return [
        Piece(_("Known people who have another name now"), imported.renamed, "wait"),
        Piece(_("Known people, brought up to date"), imported.changed, "info"),
        Piece(_("Known people, as they were"), as_before, "quiet"),
    ]


def _mixed_dates(imported: ContactImport) -> list[str]:
    """A sentence for each column with dates of several spellings."""
    titles = {key: title for title, key in imported.mapping.items()}
    words = _(
        "The dates in “%(title)s” are written in different ways: see rows %(rows)s. Messages show them as written."
    )
    return [
        words % {"title": titles.get(key, key), "rows": ", ".join(f"{row:,}" for row in rows)}
        for key, rows in imported.mixed_dates
    ]


def _titles(imported: ContactImport) -> list[str]:
    """The columns that were read, in the file's order (imports from before that was kept: in any)."""
    return [title for title in imported.header or imported.mapping if title in imported.mapping]


def _changes(imported: ContactImport, count: int, **of_which: str) -> Changes:
    if not count:
        return Changes(0, [])
    labels = dict(ContactField.objects.values_list("key", "label"))
    labels |= {"name": _("name"), "language": _("language")}
    stored = imported.changes.filter(**of_which).select_related("contact")[:SHOWN]
    return Changes(count, [Change(one, [labels.get(key, key) for key in one.keys]) for one in stored])


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

"""Imports of people, from the upload to the file of bad rows."""

from __future__ import annotations

import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

import structlog
from django.conf import settings
from django.contrib.auth.models import User
from django.core.files import File
from django.db import DataError, IntegrityError, connection
from django.utils import timezone

from contacts import statistics
from contacts.imports.bad_rows import BadRowsFile
from contacts.imports.load import staging, standing, store
from contacts.imports.mapping import Mapping, check_mapping, make_fields, suggest_mapping
from contacts.imports.people import Columns
from contacts.imports.reader import Row, Sheet
from contacts.imports.refusal import FileRefused
from contacts.models import Contact, ContactImport, ContactList, ListMembership, Suppression
from contacts.values import clean_value

log = structlog.get_logger(__name__)
State = ContactImport.State
SAMPLE_ROWS = 10


@dataclass(frozen=True)
class Preview:
    """What the check page shows before anything is stored."""

    header: list[str]
    title: str
    title_lines: int
    mapping: Mapping
    rows: int
    sample: list[Row]
    encoding: str
    delimiter: str


def preview(*, file: BinaryIO, encoding: str = "") -> Preview:
    """Reads the whole file once. Raises FileRefused; its code `encoding` asks the user which one it is."""
    _check_size(file)
    sheet = Sheet(file, encoding)
    survey = sheet.survey()
    mapping = suggest_mapping(sheet.header, survey.filled)
    sample = list(islice(sheet.rows(), SAMPLE_ROWS))
    return Preview(
        sheet.header, sheet.title, sheet.title_lines, mapping, survey.rows, sample, sheet.encoding, sheet.delimiter
    )


def start_import(
    *,
    file: BinaryIO,
    file_name: str,
    contact_list: ContactList | None,
    user: User | None,
    encoding: str = "",
    mapping: Mapping | None = None,
    columns_chosen: bool = False,
) -> ContactImport:
    """Keep a file that can be imported; `run_import` does the work. Raises FileRefused, and then nothing is kept."""
    seen = preview(file=file, encoding=encoding)
    mapping = seen.mapping if mapping is None else mapping
    check_mapping(mapping)
    return keep(
        file,
        seen,
        mapping,
        file_name=file_name,
        contact_list=contact_list,
        encoding=encoding,
        columns_chosen=columns_chosen,
        created_by=user,
    )


def keep(file: BinaryIO, seen: Preview, mapping: Mapping, *, file_name: str, **facts: object) -> ContactImport:
    """A copy of the file with what is known of it."""
    file.seek(0)
    return ContactImport.objects.create(
        file=File(file, name=f"{uuid.uuid4()}.csv"),
        file_name=clean_value(file_name)[-200:],
        header=seen.header,
        title=clean_value(seen.title)[:200],
        title_lines=seen.title_lines,
        rows=seen.rows,
        mapping=mapping,
        **facts,
    )


def run_import(import_id: int) -> ContactImport | None:
    """Import the file, or what a killed run left of it. None if it is finished or another worker is at it.

    Commits in batches; call it outside a transaction.
    """
    with _alone(import_id) as alone:
        contact_import = ContactImport.objects.unfinished().filter(pk=import_id).first() if alone else None
        if contact_import is None:
            return None
        _move(contact_import, state=State.RUNNING, started_at=contact_import.started_at or timezone.now())
        try:
            _load(contact_import)
        except FileRefused as refusal:
            _move(contact_import, state=State.FAILED, error=refusal.words, finished_at=timezone.now())
        except FileNotFoundError:
            _move(contact_import, state=State.FAILED, error=FileRefused("gone").words, finished_at=timezone.now())
        except (DataError, IntegrityError):
            log.exception("import_failed", contact_import=import_id)
            _move(contact_import, state=State.FAILED, error=FileRefused("broken").words, finished_at=timezone.now())
        else:
            statistics.refresh(Contact, ListMembership, Suppression)
            _move(contact_import, state=State.DONE, finished_at=timezone.now())
    contact_import.refresh_from_db()
    return contact_import


def run_waiting() -> int:
    """Run what was uploaded and what a killed worker left behind; how many imports that were."""
    waiting = list(ContactImport.objects.unfinished().values_list("pk", flat=True))
    return sum(run_import(import_id) is not None for import_id in waiting)


def settle(contact_import: ContactImport, now: datetime) -> bool:
    """What did not go in needs nobody any more: mended, or not wanted. False if it is not over, or settled before."""
    over = ContactImport.objects.filter(pk=contact_import.pk, state__in=(State.DONE, State.FAILED), settled_at=None)
    return over.update(settled_at=now) > 0


def import_file(path: Path, list_name: str = "") -> ContactImport:
    """A file on this machine, imported at once into the list of that name (made if need be). Raises FileRefused."""
    contact_list = ContactList.objects.get_or_create(name=clean_value(list_name))[0] if list_name.strip() else None
    with path.open("rb") as file:
        started = start_import(file=file, file_name=path.name, contact_list=contact_list, user=None)
    finished = run_import(started.pk)
    assert finished is not None
    return finished


def _load(contact_import: ContactImport) -> None:
    make_fields(contact_import.mapping)
    with (
        contact_import.file.open("rb") as file,
        tempfile.NamedTemporaryFile("w+", encoding="utf-8-sig", newline="", suffix=".csv") as scratch,
    ):
        sheet = Sheet(cast(BinaryIO, file), contact_import.encoding)
        bad_rows = BadRowsFile(scratch, sheet)
        columns = Columns.of(sheet.header, contact_import.mapping)
        with staging(sheet.rows(), columns, bad_rows, contact_import) as staged:
            _move(contact_import, **vars(staged))
            if staged.bad:
                scratch.flush()
                _keep_bad_rows(contact_import, Path(scratch.name))
            store(contact_import)
            _move(contact_import, **standing())


def _keep_bad_rows(contact_import: ContactImport, path: Path) -> None:
    contact_import.bad_rows.delete(save=False)
    with path.open("rb") as file:
        contact_import.bad_rows.save(f"{contact_import.public_id}-bad.csv", File(file), save=False)
    _move(contact_import, bad_rows=contact_import.bad_rows.name)


def _move(contact_import: ContactImport, **changes: object) -> None:
    ContactImport.objects.filter(pk=contact_import.pk).update(**changes)


def _check_size(file: BinaryIO) -> None:
    if file.seek(0, 2) > settings.IMPORT_MAX_BYTES:
        raise FileRefused("too_big", limit=settings.IMPORT_MAX_BYTES // 2**20)


@contextmanager
def _alone(import_id: int) -> Iterator[bool]:
    """Whether no other worker runs this import; the lock ends with our connection, however we die."""
    key = (f"contacts.import:{import_id}",)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended(%s, 0))", key)
        got_it = cursor.fetchone()[0]
        try:
            yield got_it
        finally:
            if got_it:
                cursor.execute("SELECT pg_advisory_unlock(hashtextextended(%s, 0))", key)

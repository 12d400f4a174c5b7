"""Which column is what, where a person says so: because the headings leave it open, or because they mislead."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO, cast

from django.contrib.auth.models import User

from contacts.imports.headings import IGNORED, LANGUAGE, NAME, NUMBER
from contacts.imports.mapping import Mapping, check_mapping, own_keys
from contacts.imports.reader import Sheet, untitled
from contacts.imports.refusal import FileRefused
from contacts.imports.service import Preview, keep, preview, start_import
from contacts.models import ContactField, ContactImport, ContactList
from contacts.numbers import is_number

State = ContactImport.State
SHOWN_ROWS = 3
REMEMBERED = 100  # the latest imports whose columns somebody chose


@dataclass(frozen=True)
class Column:
    """One column of a file: its title, its cells in the first rows, and what it is taken as (blank: left out)."""

    title: str
    cells: list[str]
    target: str
    own_key: str  # of the field that it becomes where it is none of those that are there


@dataclass(frozen=True)
class Columns:
    """Those that a person can say something about."""

    choices: list[Column]
    headed_by_a_person: bool  # a “heading” is somebody's number: the file has no headings
    only_one: bool  # and no number in it: its title was taken as the heading, or its separator is none that we know


def receive(
    *,
    file: BinaryIO,
    file_name: str,
    contact_list: ContactList | None,
    user: User,
    encoding: str = "",
    look_first: bool = False,
) -> ContactImport:
    """Keep an uploaded file; unless its columns are clear, it waits for `choose`. Raises FileRefused."""
    seen = preview(file=file, encoding=encoding)
    chosen = _chosen_before(seen.header)
    waits = look_first or (chosen is None and _unclear(seen))
    return keep(
        file,
        seen,
        chosen or _with_likely_number(seen),
        state=State.COLUMNS if waits else State.UPLOADED,
        file_name=file_name,
        contact_list=contact_list,
        encoding=encoding,
        columns_chosen=chosen is not None,
        created_by=user,
    )


def columns_of(contact_import: ContactImport) -> Columns:
    """The columns with the first rows. Raises FileRefused where the file is gone."""
    try:
        with contact_import.file.open("rb") as file:
            sheet = Sheet(cast(BinaryIO, file), contact_import.encoding)
            rows = [row.cells for row in islice(sheet.rows(), SHOWN_ROWS)]
    except FileNotFoundError:
        raise FileRefused("gone") from None
    keys = own_keys(sheet.header, contact_import.mapping)
    columns = [
        Column(title, [row[index] for row in rows if index < len(row)], contact_import.mapping.get(title, ""), key)
        for index, (title, key) in enumerate(keys.items())
        if title.casefold() not in IGNORED
    ]
    hidden = {untitled(number) for number in range(1, len(sheet.header) + 1)}
    shown = [one for one in columns if one.target or any(one.cells) or one.title not in hidden]
    headed_by_a_person = any(map(is_number, sheet.header))
    only_one = len(sheet.header) == 1 and NUMBER not in contact_import.mapping.values() and not headed_by_a_person
    return Columns(shown, headed_by_a_person, only_one)


def choose(*, contact_import: ContactImport, mapping: Mapping) -> bool:
    """A file that waited for its columns can be run; False if somebody was faster. Raises FileRefused."""
    check_mapping(mapping)
    waiting = ContactImport.objects.filter(pk=contact_import.pk, state=State.COLUMNS)
    return bool(waiting.update(mapping=mapping, columns_chosen=True, state=State.UPLOADED))


def import_again(*, contact_import: ContactImport, mapping: Mapping, user: User) -> ContactImport:
    """The same file as an import of its own, its columns read in another way. Raises FileRefused."""
    try:
        with contact_import.file.open("rb") as file:
            return start_import(
                file=cast(BinaryIO, file),
                file_name=contact_import.file_name,
                contact_list=contact_import.contact_list,
                user=user,
                encoding=contact_import.encoding,
                mapping=mapping,
                columns_chosen=True,
            )
    except FileNotFoundError:
        raise FileRefused("gone") from None


def discard(contact_import: ContactImport) -> bool:
    """Forget a file that still waits for its columns; False if it does not wait any more."""
    deleted, _ = ContactImport.objects.filter(pk=contact_import.pk, state=State.COLUMNS).delete()
    if deleted:
        contact_import.file.delete(save=False)
    return bool(deleted)


def _chosen_before(header: list[str]) -> Mapping | None:
    """What somebody chose for a file with the same headings: last month's, or the one whose bad rows these are."""
    earlier = ContactImport.objects.filter(columns_chosen=True).exclude(state=State.COLUMNS)
    choices = earlier.values_list("header", "mapping")[:REMEMBERED]
    return next((mapping for titles, mapping in choices if _theirs(titles) == _theirs(header)), None)


def _theirs(header: list[str]) -> list[str]:
    return [title for title in header if title.casefold() not in IGNORED]


def _unclear(seen: Preview) -> bool:
    """Whether a person has to say which column is the number; or the name, where a new one with letters might be."""
    targets = set(seen.mapping.values())
    if NUMBER not in targets:
        return True
    known = {*ContactField.objects.values_list("key", flat=True), NUMBER, LANGUAGE}
    new = [index for index, title in enumerate(seen.header) if seen.mapping.get(title, NUMBER) not in known]
    return NAME not in targets and any(_has_letters(cell) for index in new for cell in _cells(seen, index))


def _with_likely_number(seen: Preview) -> Mapping:
    """Where no heading says so, the only column whose cells are mostly numbers of phones is shown as the number."""
    if NUMBER in seen.mapping.values():
        return seen.mapping
    likely = [title for index, title in enumerate(seen.header) if _mostly_numbers(_cells(seen, index))]
    return seen.mapping | {likely[0]: NUMBER} if len(likely) == 1 else seen.mapping


def _cells(seen: Preview, index: int) -> list[str]:
    return [row.cells[index] for row in seen.sample if index < len(row.cells) and row.cells[index].strip()]


def _mostly_numbers(cells: list[str]) -> bool:
    return sum(map(is_number, cells)) * 2 > len(cells)


def _has_letters(cell: str) -> bool:
    return any(map(str.isalpha, cell))

"""The top of a sheet: people put a title, a date or an empty line above their headings."""

from __future__ import annotations

import re

from contacts.imports.headings import IGNORED, NUMBER, known
from contacts.numbers import is_number

LOOKED_AT = 30  # rows from the first
SEPARATED = re.compile("[,;\t]")

Cells = list[str]


def heading_row(rows: list[Cells]) -> int | None:
    """The index of the first row that can be told to hold the headings; people come below it."""
    for index, cells in enumerate(rows):
        if _says_so(cells) or _covers(cells, [row for row in rows[index + 1 :] if _filled(row)]):
            return index
        if any(is_number(part) for cell in cells for part in SEPARATED.split(cell)):
            return None
    return None


def _says_so(cells: Cells) -> bool:
    """Our own file of bad rows, or a heading that is known; “Telefon” with digits beside it is a letterhead."""
    if {cell.strip().casefold() for cell in cells} >= IGNORED:
        return True
    return NUMBER in known(cells).values() and not any(map(str.isdigit, "".join(cells)))


def _covers(cells: Cells, below: list[Cells]) -> bool:
    """Several cells, one above every cell that is filled in the next row and in most of the others."""
    if len(_filled(cells)) < 2 or any(map(is_number, cells)) or not below:
        return False
    covered = [len(row) > 1 and _filled(row) <= _filled(cells) for row in below]
    return covered[0] and sum(covered) * 2 > len(covered)


def _filled(cells: Cells) -> set[int]:
    return {column for column, cell in enumerate(cells) if cell.strip()}

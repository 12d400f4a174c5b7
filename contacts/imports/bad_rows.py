"""The file of rows that stayed outside: the input's columns, then the user's row number and the reason."""

from __future__ import annotations

import csv
from typing import IO

from contacts.imports.cells import guard
from contacts.imports.headings import IGNORED
from contacts.imports.reader import Row, Sheet


class BadRowsFile:
    """Written while the rows are read. Runs nothing in any spreadsheet, and imports again as it is."""

    def __init__(self, file: IO[str], sheet: Sheet) -> None:
        self.count = 0
        self._writer = csv.writer(file, delimiter=sheet.delimiter)
        self._kept = [index for index, title in enumerate(sheet.header) if title.casefold() not in IGNORED]
        self._width = len(sheet.header)
        self._write([sheet.header[index] for index in self._kept], "row", "reason")

    def add(self, row: Row, reason: str) -> None:
        self.count += 1
        cells = row.cells[: self._width] + [""] * (self._width - len(row.cells))
        surplus = row.cells[self._width :]  # stays beyond the reason, where it is as wrong as before
        self._write([cells[index] for index in self._kept], str(row.number), reason, *surplus)

    def _write(self, cells: list[str], *more: str) -> None:
        self._writer.writerow([guard(cell) for cell in (*cells, *more)])

"""Bytes of a CSV file → rows of cells, streamed. What is wrong with the whole file is a FileRefused."""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from itertools import islice
from typing import BinaryIO

from contacts.imports.cells import unguard
from contacts.imports.refusal import FileRefused
from contacts.imports.top import LOOKED_AT, heading_row

MAX_ROWS = 1_000_000
MAX_COLUMNS = 50
MAX_CELL = 4 * 1024  # characters
MAX_RECORD = MAX_COLUMNS * MAX_CELL
MAX_HEADER = 200  # ContactField.label
csv.field_size_limit(MAX_RECORD)  # the module's own limit holds for the process; ours is kept by _Record

DELIMITERS = (",", ";", "\t")
ENCODINGS = {"utf-8": "UTF-8", "cp1252": "Windows-1252", "gb18030": "GB 18030", "utf-16": "UTF-16"}  # a user's choice
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # XLSX and ODS; XLS
SEPARATOR_LINE = re.compile(r"sep=(.)[\r\n]*", re.IGNORECASE)  # Excel's own first line, which it never shows


@dataclass(frozen=True, slots=True)
class Row:
    """One row as the user's spreadsheet shows it: `number` counts from 1, headers and empty rows included."""

    number: int
    cells: list[str]
    problem: str = ""  # a key of people.PROBLEMS


@dataclass(frozen=True)
class _Top:
    """What a delimiter makes of the first rows: the headings and what stands above them."""

    delimiter: str
    above: list[Row]
    headers: Row

    @property
    def title(self) -> str:
        return " · ".join(cell.strip() for row in self.above for cell in row.cells if cell.strip())

    def order(self) -> tuple[int, int]:
        """The best first: the highest headings, and of those the most."""
        return self.headers.number, -len(self.headers.cells)


@dataclass(frozen=True)
class Survey:
    """What the file as a whole is like: how many rows have content, and which columns."""

    rows: int
    filled: frozenset[int]


class Sheet:
    """An open CSV file: its headers, and its rows as often as they are asked for. One iteration at a time.

    `title` is what stands in the first `title_lines`, above the headings.
    """

    def __init__(self, file: BinaryIO, encoding: str = "") -> None:
        self._file = file
        self.encoding = _encoding(file, encoding)
        with closing(self._lines()) as lines:
            first = next((line for line in lines if line.strip()), "")
        separator = SEPARATOR_LINE.fullmatch(first)
        self._preamble = 1 if separator else 0
        tops = [self._top(delimiter) for delimiter in (separator[1] if separator else DELIMITERS)]
        top = min((top for top in tops if top), key=_Top.order, default=None)
        if top:
            self.delimiter, self.title, headers = top.delimiter, top.title, top.headers
        else:
            self.delimiter = separator[1] if separator else max(DELIMITERS, key=_outside_quotes(first).count)
            self.title = ""
            with closing(self._records(self.delimiter)) as records:
                headers = next((row for row in records if any(row.cells)), Row(0, []))
        self._header_number = headers.number
        self.title_lines = headers.number - 1 if self.title else 0
        self.header = _checked_header(headers.cells)

    def rows(self) -> Iterator[Row]:
        """Everybody below the headers; a row without any content is none."""
        for row in self._records(self.delimiter):
            if row.number > self._header_number and any(map(str.strip, row.cells)):
                yield self._judged(row)

    def survey(self) -> Survey:
        """Read everything once, so that a file is refused before any of it goes in."""
        count, filled = 0, set[int]()
        for row in self.rows():
            count += 1
            if count > MAX_ROWS:
                raise FileRefused("too_many_rows", limit=f"{MAX_ROWS:,}")
            if len(filled) < len(self.header):
                filled.update(column for column, cell in enumerate(row.cells) if cell)
        if not count:
            raise FileRefused("no_rows")
        return Survey(count, frozenset(filled))

    def _judged(self, row: Row) -> Row:
        cells, width = row.cells, len(self.header)
        if row.problem:
            return row
        if len(cells) > width and any(map(str.strip, cells[width:])):
            return Row(row.number, cells, "too_many_cells")
        if max(map(len, cells)) > MAX_CELL:
            return Row(row.number, cells, "long_cell")
        return Row(row.number, cells[:width] + [""] * (width - len(cells)))

    def _top(self, delimiter: str) -> _Top | None:
        """The first rows as this delimiter parts them, if their headings can be told."""
        rows = list[Row]()
        with closing(self._records(delimiter)) as records, suppress(FileRefused):
            rows.extend(islice(records, LOOKED_AT))  # what is wrong is said when the rows are read
        index = heading_row([[] if row.problem else row.cells for row in rows])
        return None if index is None else _Top(delimiter, rows[:index], rows[index])

    def _records(self, delimiter: str) -> Generator[Row]:
        with closing(self._lines()) as physical:
            lines = _RecordLines(physical, skip=self._preamble)
            reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True, strict=True)
            while True:
                lines.begin()
                try:
                    cells = next(reader)
                except StopIteration:
                    return
                except csv.Error:
                    if lines.ended:
                        raise FileRefused("open_quote", row=lines.number) from None
                    yield Row(lines.number, lines.salvage(delimiter), "quotes")
                else:
                    yield Row(lines.number, [unguard(cell) for cell in cells])

    def _lines(self) -> Generator[str]:
        self._file.seek(0)
        text = io.TextIOWrapper(self._file, encoding=self.encoding, errors="strict", newline="")
        number = 0
        try:
            while line := text.readline(MAX_RECORD + 1):
                number += 1
                if "\0" in line:
                    raise FileRefused("not_text", row=number)
                yield line
        except UnicodeError:
            name = ENCODINGS.get(self.encoding.removesuffix("-sig"), self.encoding)
            row = self._undecodable_row() or number + 1
            raise FileRefused("encoding", row=row, encoding=name) from None
        finally:
            with suppress(ValueError):  # closed meanwhile
                text.detach()

    def _undecodable_row(self) -> int | None:
        """The decoder reads ahead, so the row at fault is looked up afterwards."""
        self._file.seek(0)
        lines = iter(lambda: self._file.readline(4 * MAX_RECORD), b"")
        if self.encoding != "utf-16":  # there a line break is two bytes
            for number, line in enumerate(lines, start=1):
                try:
                    line.decode(self.encoding)
                except UnicodeDecodeError:
                    return number
        return None


class _RecordLines:
    """Hands lines to csv.reader and keeps those of the record at hand, so that none can grow without end."""

    def __init__(self, lines: Iterator[str], skip: int) -> None:
        self._lines = lines
        for _ in range(skip):
            next(lines)
        self.number = 0
        self.ended = False
        self._taken: list[str] = []
        self._size = 0

    def begin(self) -> None:
        self.number += 1
        self._taken, self._size = [], 0

    def __iter__(self) -> _RecordLines:
        return self

    def __next__(self) -> str:
        line = next(self._lines, None)
        if line is None:
            self.ended = True
            raise StopIteration
        self._size += len(line)
        if self._size > MAX_RECORD:
            raise FileRefused("long_row", row=self.number, limit=f"{MAX_RECORD:,}")
        self._taken.append(line)
        return line

    def salvage(self, delimiter: str) -> list[str]:
        """The cells of a record with stray quotation marks, as well as they can be told apart."""
        return "".join(self._taken).rstrip("\r\n").split(delimiter)


def _encoding(file: BinaryIO, said: str) -> str:
    file.seek(0)
    head = file.read(4)
    if not head:
        raise FileRefused("empty")
    if head.startswith(WORKBOOKS):
        raise FileRefused("workbook")
    if said and said not in ENCODINGS:
        raise ValueError(f"no such encoding: {said}")
    marked = next((name for mark, name in BYTE_ORDER_MARKS.items() if head.startswith(mark)), "")
    return marked or said or "utf-8"


def _outside_quotes(line: str) -> str:
    return re.sub(r'"[^"]*"', "", line)


def _checked_header(cells: list[str]) -> list[str]:
    """Titles of the columns; one without a title is “Column 3”."""
    if not any(cells):
        raise FileRefused("empty")
    if len(cells) > MAX_COLUMNS:
        raise FileRefused("too_many_columns", limit=MAX_COLUMNS)
    header: list[str] = []
    for column, cell in enumerate(cells, start=1):
        title = " ".join(cell.split()) or untitled(column)
        if len(title) > MAX_HEADER:
            raise FileRefused("long_header", column=column, limit=MAX_HEADER)
        if title.casefold() in (earlier.casefold() for earlier in header):
            raise FileRefused("duplicate_header", header=title)
        header.append(title)
    return header


def untitled(column: int) -> str:
    return f"Column {column}"

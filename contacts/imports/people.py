"""Cells of a row → one person as stored, or what is wrong with the row, in the user's words."""

from __future__ import annotations

import json
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from contacts.addresses import address_hmac
from contacts.imports.headings import LANGUAGE, NAME, NUMBER
from contacts.imports.mapping import Mapping
from contacts.imports.reader import MAX_CELL, Row
from contacts.models import Contact
from contacts.numbers import parse_msisdn
from contacts.values import clean_value

PROBLEMS: dict[str, Promise] = {
    "quotes": _("Quotation marks are not balanced in this row."),
    "too_many_cells": _("This row has more cells than there are headers."),
    "long_cell": _("A cell is longer than %(limit)s characters."),
    "long_name": _("The name is longer than %(limit)s characters."),
    "long_language": _("The language is longer than %(limit)s characters."),
}
LIMITS = {
    "long_cell": MAX_CELL,
    "long_name": Contact._meta.get_field("name").max_length or 0,
    "long_language": Contact._meta.get_field("language").max_length or 0,
}


class BadRow(ValueError):
    """A row that stays outside."""

    def __init__(self, problem: str) -> None:
        super().__init__(str(PROBLEMS[problem]) % {"limit": LIMITS.get(problem)})


@dataclass(frozen=True)
class Columns:
    """Which cell is what."""

    number: int
    name: int | None
    language: int | None
    fields: tuple[tuple[int, str], ...]

    @classmethod
    def of(cls, header: list[str], mapping: Mapping) -> Columns:
        at = {mapping[title]: index for index, title in enumerate(header) if title in mapping}
        fields = tuple((index, key) for key, index in at.items() if key not in {NUMBER, NAME, LANGUAGE})
        return cls(at[NUMBER], at.get(NAME), at.get(LANGUAGE), fields)


def read_person(row: Row, columns: Columns) -> tuple[int, str, bytes, str, str, str]:
    """A row of the staging table. Raises BadRow or BadNumber; either says why in words."""
    if row.problem:
        raise BadRow(row.problem)
    cells = row.cells
    msisdn = parse_msisdn(cells[columns.number])
    name = "" if columns.name is None else clean_value(cells[columns.name])
    language = "" if columns.language is None else clean_value(cells[columns.language])
    if len(name) > LIMITS["long_name"]:
        raise BadRow("long_name")
    if len(language) > LIMITS["long_language"]:
        raise BadRow("long_language")
    values = ((key, clean_value(cells[index])) for index, key in columns.fields)
    fields = json.dumps({key: value for key, value in values if value}, ensure_ascii=False)
    return row.number, msisdn, address_hmac(msisdn), name, language, fields

"""Columns of a file → what they are of a person: msisdn, name, language, or the key of a field."""

from __future__ import annotations

import re
import unicodedata

from contacts.imports.headings import IGNORED, LANGUAGE, NAME, NUMBER, known, no_number
from contacts.imports.reader import untitled
from contacts.imports.refusal import FileRefused
from contacts.models import ContactField

BUILT_IN = {NUMBER, NAME, LANGUAGE}
KEY = re.compile(r"[a-z][a-z0-9_]{0,31}")
LONGEST_KEY = 32

Mapping = dict[str, str]  # title of a column → its target; a column that is not there is left out of the import


def suggest_mapping(header: list[str], filled: frozenset[int]) -> Mapping:
    """Where each column goes unless the user says otherwise. A second column for the same thing becomes a field."""
    mapping: Mapping = {}
    labels = _labels()
    built_in = known(header)
    for index, title in enumerate(header):
        if title.casefold() in IGNORED or (title == untitled(index + 1) and index not in filled):
            continue
        taken = {*mapping.values(), *BUILT_IN}
        mapping[title] = built_in.get(index) or _field_key(title, index + 1, labels, taken)
    return mapping


def own_keys(header: list[str], mapping: Mapping) -> dict[str, str]:
    """Title of a column → the key that it has as a field, whatever it is now."""
    labels = _labels()
    theirs = {*BUILT_IN, *labels.values()}
    new = {title: mapping[title] for title in header if title in mapping and mapping[title] not in theirs}
    keys: dict[str, str] = {}
    for index, title in enumerate(header):
        taken = {*BUILT_IN, *keys.values(), *new.values()}
        keys[title] = new.get(title) or _field_key(title, index + 1, labels, taken)
    return keys


def check_mapping(mapping: Mapping) -> None:
    """Raises FileRefused where columns contradict each other."""
    targets = list(mapping.values())
    if NUMBER not in targets:
        raise no_number(list(mapping))
    for target in targets:
        if targets.count(target) > 1:
            raise FileRefused("two_columns", target=target)
        if not KEY.fullmatch(target):
            raise FileRefused("bad_mapping", target=target)


def make_fields(mapping: Mapping) -> None:
    """A field for each key that is new, labelled with the column's title."""
    fields = [ContactField(key=key, label=title) for title, key in mapping.items() if key not in BUILT_IN]
    ContactField.objects.bulk_create(fields, ignore_conflicts=True)


def _labels() -> dict[str, str]:
    return {label.casefold(): key for label, key in ContactField.objects.values_list("label", "key")}


def _field_key(title: str, column: int, labels: dict[str, str], taken: set[str]) -> str:
    """The field that has this title already, else a slug of it, `f_<slug>`, or `field_<column>`."""
    slug = _slug(title)
    fallbacks = [f"field_{column}", *(f"field_{column}_{again}" for again in range(2, 100))]
    unused = [key for key in fallbacks if key not in labels.values()]  # another file's column 3 means something else
    candidates = [labels.get(title.casefold(), ""), slug, f"f_{slug}"[:LONGEST_KEY] if slug else "", *unused]
    return next(key for key in candidates if KEY.fullmatch(key) and key not in taken)


def _slug(title: str) -> str:
    ascii_only = unicodedata.normalize("NFKD", title.casefold()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", ascii_only).strip("_")[:LONGEST_KEY].rstrip("_")

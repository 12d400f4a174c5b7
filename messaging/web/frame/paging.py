"""Pages of long lists by keyset: the cursor says after which row to go on, so page 1,000 costs what page 1 costs."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.exceptions import FieldError, ValidationError
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

PAGE = 50


@dataclass(frozen=True)
class Page:
    """Some rows in order, and the query strings of the pages beside them (empty: there is none)."""

    rows: list[Any]
    before: str
    after: str

    def __bool__(self) -> bool:
        return bool(self.rows)


def paginate(rows: QuerySet, request: HttpRequest, *keys: str, size: int = PAGE) -> Page:
    """The page that the request asks for by `after=` or `before=`; a cursor that cannot be read is the first page.

    `keys` order the rows as in order_by, all in the same direction, and end with a unique one; none may be NULL.
    """
    backwards = "before" in request.GET and "after" not in request.GET
    start = _decode(request.GET.get("before" if backwards else "after", ""), len(keys))
    order = [_turned(key) for key in keys] if backwards else list(keys)
    try:
        found = _slice(rows, order, start, size)
    except (ValueError, ValidationError, FieldError, TypeError):
        start, backwards, found = None, False, _slice(rows, list(keys), None, size)
    more = len(found) > size
    page = found[:size][::-1] if backwards else found[:size]
    behind, ahead = (more, start is not None) if backwards else (start is not None, more)
    return Page(
        page,
        _link(request, "before", page[0], keys) if page and behind else "",
        _link(request, "after", page[-1], keys) if page and ahead else "",
    )


def _slice(rows: QuerySet, order: list[str], start: list[Any] | None, size: int) -> list[Any]:
    if start is not None:
        rows = rows.filter(_beyond(order, start))
    return list(rows.order_by(*order)[: size + 1])


def _beyond(order: Sequence[str], start: Sequence[Any]) -> Q:
    """Rows after `start`: k1 beyond, or equal and k2 beyond …; k1 alone bounds it, so that an index can begin there."""
    (key, *others), (value, *values) = order, start
    name, beyond = key.lstrip("-"), "lt" if key.startswith("-") else "gt"
    if not others:
        return Q(**{f"{name}__{beyond}": value})
    tied = Q(**{name: value}) & _beyond(others, values)
    return Q(**{f"{name}__{beyond}e": value}) & (Q(**{f"{name}__{beyond}": value}) | tied)


def _turned(key: str) -> str:
    return key.removeprefix("-") if key.startswith("-") else f"-{key}"


def _link(request: HttpRequest, name: str, row: Model, keys: Sequence[str]) -> str:
    query = request.GET.copy()
    for cursor in ("after", "before"):
        query.pop(cursor, None)
    query[name] = _encode([getattr(row, key.lstrip("-")) for key in keys])
    return f"?{query.urlencode()}"


def _encode(values: Sequence[Any]) -> str:
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(json.dumps(plain).encode()).decode().rstrip("=")


def _decode(cursor: str, length: int) -> list[Any] | None:
    try:
        values = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except ValueError:
        return None
    fits = isinstance(values, list) and len(values) == length
    return values if fits and all(isinstance(value, str | int) for value in values) else None

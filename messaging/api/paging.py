"""Long lists, page by page: the cursor is the id of the row before, so that no page is skipped or told twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.db.models import Model, QuerySet
from django.http import Http404
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from messaging.api.operations import Call


def page(
    rows: QuerySet[Any],
    call: Call,
    shape: type[Serializer] | Callable[[Sequence[Any]], Iterable[Any]],
    *,
    newest_first: bool = True,
) -> Response:
    """One page in the order of the rows' keys, newest first unless told otherwise."""
    found = list(behind(rows, call.query.get("cursor"), newest_first)[: call.query["limit"] + 1])
    shown, more = found[: call.query["limit"]], len(found) > call.query["limit"]
    told = shape(shown, many=True).data if isinstance(shape, type) else list(shape(shown))
    return Response({"results": told, "next": str(shown[-1].public_id) if more else None})


def behind(rows: QuerySet[Any], cursor: Any, newest_first: bool) -> QuerySet[Any]:
    """The rows that come after the cursor's. Raises Http404 for a cursor that is none."""
    rows = rows.order_by("-pk" if newest_first else "pk")
    if not cursor:
        return rows
    last = _key_of(rows.model, cursor)
    return rows.filter(pk__lt=last) if newest_first else rows.filter(pk__gt=last)


def _key_of(model: type[Model], cursor: Any) -> int:
    found = model._default_manager.filter(public_id=cursor).values_list("pk", flat=True).first()
    if found is None:
        raise Http404
    return int(found)

"""Long lists, page by page: the cursor is the id of the row before, so that no row is skipped or told twice."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Model, QuerySet
from django.http import Http404
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from contacts.models import Contact
from messaging.api.operations import Call

Tell = type[Serializer] | Callable[[Sequence[Any]], Iterable[Any]]


@dataclass(frozen=True, slots=True)
class Order:
    """By which key the rows follow each other, and whose public id stands for it."""

    key: str
    descending: bool = False
    of: type[Model] | None = None  # None: the rows' own

    def behind(self, rows: QuerySet[Any], cursor: Any) -> QuerySet[Any]:
        """The rows that come after the cursor's. Raises Http404 for a cursor that is none."""
        rows = rows.order_by(f"-{self.key}" if self.descending else self.key)
        if not cursor:
            return rows
        of = self.of or rows.model
        last = of._default_manager.filter(public_id=cursor).values_list("pk", flat=True).first()
        if last is None:
            raise Http404
        return rows.filter(**{f"{self.key}__{'lt' if self.descending else 'gt'}": last})

    def cursor(self, row: Any) -> str:
        return str(row.contact.public_id if self.of else row.public_id)


NEWEST, OLDEST, BY_PERSON = Order("pk", descending=True), Order("pk"), Order("contact_id", of=Contact)


def page(rows: QuerySet[Any], call: Call, tell: Tell, order: Order = NEWEST) -> Response:
    """One page of the rows."""
    return Response(page_body(rows, call, tell, order))


def page_body(rows: QuerySet[Any], call: Call, tell: Tell, order: Order) -> dict[str, Any]:
    limit = call.query["limit"]
    found = list(order.behind(rows, call.query.get("cursor"))[: limit + 1])
    shown = found[:limit]
    told = tell(shown, many=True).data if isinstance(tell, type) else list(tell(shown))
    return {"results": told, "next": order.cursor(shown[-1]) if len(found) > limit else None}

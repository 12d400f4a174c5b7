from typing import Any, cast

from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.functional import Promise, cached_property
from django.utils.translation import gettext as _

from contacts.admin import History

COUNTED_AT_MOST = 10_000
LOOKED_THROUGH = 200_000  # newest rows that a filter goes through; few have an index of their own


class BriefPaginator(Paginator):
    """Counts no further than COUNTED_AT_MOST: nobody turns more pages, and counting a large table takes seconds."""

    @cached_property
    def count(self) -> int:
        return cast(QuerySet[Any], self.object_list)[:COUNTED_AT_MOST].count()


class RecentRows(ChangeList):
    """Filtered, it shows what the newest rows have of that and says so; a search goes through them all."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self._recent_alone:
            self.title = _("%(title)s: filtered from the newest %(rows)s") % {
                "title": self.title,
                "rows": f"{LOOKED_THROUGH:,}",
            }
        elif found_by := cast(LongHistory, self.model_admin).found_by:
            self.title = f"{self.title}: {found_by}"

    @property
    def _recent_alone(self) -> bool:
        return bool(self.has_active_filters and not self.query)

    def get_queryset(self, request: HttpRequest, exclude_parameters: list[str | None] | None = None) -> QuerySet[Any]:
        found = super().get_queryset(request, exclude_parameters)
        if not self._recent_alone:
            return found
        newest = self.model._default_manager.order_by("-pk").values_list("pk", flat=True).first() or 0
        return found.filter(pk__gt=newest - LOOKED_THROUGH)


class LongHistory(History):
    """History of millions of rows: newest first by key, no other order, no full count."""

    paginator = BriefPaginator
    ordering = ["-pk"]
    sortable_by = ()
    found_by: str | Promise = ""  # what its search looks for, in words

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        return RecentRows

"""What the inbox is asked for; all of it stands in the URL."""

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import QueryDict

from messaging import inbox
from messaging.models import Campaign

VIEWS = ("all", "waiting", "closing", "mine", "unassigned", "failed", "asks_to_stop")


@dataclass(frozen=True, slots=True)
class Asked:
    """A view, its order, and what narrows it: words, or a campaign that people wrote after."""

    view: str = "all"
    sort: str = "newest"
    search: str = ""
    campaign: Campaign | None = None

    @classmethod
    def read(cls, query: QueryDict) -> "Asked":
        """From a URL; what is no word of ours is dropped."""
        view, sort = query.get("view", ""), query.get("sort", "")
        view = view if view in VIEWS else "all"
        sort = sort if sort in inbox.SORTS else inbox.own_sort(view)
        return cls(view, sort, query.get("q", "").strip(), _campaign(query.get("campaign", "")))

    def query(self, before: str = "", after: str = "", **changes: Any) -> str:
        """The URL's query with something changed; what goes without saying is left out."""
        asked = replace(self, **changes)
        values = {
            "view": asked.view if asked.view != "all" else "",
            "sort": asked.sort if asked.sort != inbox.own_sort(asked.view) else "",
            "q": asked.search,
            "campaign": str(asked.campaign.public_id) if asked.campaign else "",
            "before": before,
            "after": after,
        }
        return "?" + urlencode({key: value for key, value in values.items() if value})


def within(query: QueryDict) -> str:
    """The place in the inbox from which a conversation was opened, as a URL's query; empty if it was not."""
    after = query.get("after", "")
    return Asked.read(query).query(after=after) if after else ""


def _campaign(public_id: str) -> Campaign | None:
    try:
        return Campaign.objects.filter(public_id=UUID(public_id)).exclude(launched_at=None).first()
    except ValueError:
        return None

"""The inbox: conversations of a saved view, in the order that is asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact
from messaging import responses
from messaging.clock import db_now
from messaging.inbox.opt_outs import OptOut, opt_outs
from messaging.inbox.timeline import TEXTS_FROM, said
from messaging.models import Campaign, Conversation, Message, RequestRecipient
from messaging.models.conversation import WAITS_SINCE
from messaging.models.message import FAILED_STATES
from messaging.policy import SESSION_WINDOW, window_ends_at
from messaging.statuses import Channel, DeliveryState, SendState

CLOSING_WITHIN = timedelta(hours=2)
FAILED_LATELY = timedelta(days=7)
COUNT_AT_MOST = 1_000

VIEWS: Mapping[str, Promise] = {
    "all": _("All"),
    "waiting": _("Waiting for us"),
    "closing": _("Closing soon"),
    "mine": _("Mine"),
    "unassigned": _("Waiting, unassigned"),
    "failed": _("Failed to send"),
    "asks_to_stop": _("Asked to stop?"),
}
SORTS: Mapping[str, Promise] = {
    "newest": _("Newest"),
    "time_left": _("Time left"),
    "waiting": _("Waiting longest"),
}
ORDERS: Mapping[str, tuple[str, str]] = {
    "newest": ("-last_message_at", "-pk"),
    "time_left": ("last_mo_at", "pk"),
    "waiting": ("waits_since", "pk"),
}


@dataclass(frozen=True, slots=True)
class ConversationRow:
    """A conversation with the last thing that was said in it, a campaign's messages left out, and in which words."""

    conversation: Conversation
    last: Message | None
    text: str
    cursor: str
    opt_out: OptOut

    @property
    def waits_since(self) -> datetime | None:
        """When they wrote what we have not answered."""
        talk = self.conversation
        return (talk.last_mo_at or talk.last_message_at) if talk.unread else None

    @property
    def failed(self) -> bool:
        """Whether what was said last is ours and did not arrive."""
        last = self.last
        if last is None or last.direction != Message.Direction.MT:
            return False
        return last.send_state in FAILED_STATES or last.delivery_state == DeliveryState.UNDELIVERED

    @property
    def window_ends_at(self) -> datetime | None:
        return window_ends_at(self.conversation.last_mo_at) if self.conversation.channel == Channel.WHATSAPP else None


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """One page; `next` asks for the one after it, or is None."""

    rows: list[ConversationRow]
    next: str | None


def conversations(
    *,
    view: str = "all",
    sort: str = "",
    user: User,
    search: str = "",
    campaign: Campaign | None = None,
    before: str | None = None,
    limit: int = 50,
) -> ConversationPage:
    """A page of a view. An unknown view is "all"; an unknown sort the view's own: time left in "closing", else newest.

    By time left are those whose window is open, by waiting those who wait: the others have no place in that order.
    With a `campaign`, only those in which somebody wrote after it reached them.
    """
    found, order = _found(view, sort, user, search, campaign)
    found = _after(found.select_related("contact", "connection", "owner"), order, before)
    rows = list(found.annotate(last_id=_last_message())[: limit + 1])
    shown = _with_last(rows[:limit], order)
    return ConversationPage(shown, shown[-1].cursor if len(rows) > limit else None)


def following(
    after: str, *, view: str = "all", sort: str = "", user: User, search: str = "", campaign: Campaign | None = None
) -> tuple[Conversation, str] | None:
    """The conversation behind that cursor in the same page's order, with its own cursor; None at the end."""
    found, order = _found(view, sort, user, search, campaign)
    row = _after(found, order, after).first() if _key(after) else None
    return (row, _cursor(row, order)) if row else None


def _found(
    view: str, sort: str, user: User, search: str, campaign: Campaign | None
) -> tuple[QuerySet[Conversation], tuple[str, str]]:
    now = db_now()
    sort = sort if sort in SORTS else own_sort(view)
    order = ORDERS[sort]
    found = _sortable(_in_view(view, user, now), sort, now).order_by(*order)
    if campaign:
        found = found.filter(pk__in=responses.talks(campaign).values("pk"))
    if search.strip():
        found = found.filter(contact__in=Contact.objects.search(search))
    return found, order


def own_sort(view: str) -> str:
    """How a view is sorted unless somebody asks for another order."""
    return "time_left" if view == "closing" else "newest"


def view_counts(user: User) -> dict[str, int]:
    """How many conversations each view has, counted up to COUNT_AT_MOST."""
    now = db_now()
    return {view: _in_view(view, user, now).order_by()[:COUNT_AT_MOST].count() for view in VIEWS if view != "all"}


def _in_view(view: str, user: User, now: datetime) -> QuerySet[Conversation]:
    found = Conversation.objects.all()
    match view:
        case "waiting":
            return found.filter(unread__gt=0)
        case "closing":
            return closing_soon(now)
        case "mine":
            return found.filter(owner=user.pk)
        case "unassigned":
            return found.filter(owner=None, unread__gt=0)
        case "failed":
            lately = _failed(now).values("contact")  # implied by the rest: lets the planner begin with these few
            return found.filter(
                Exists(_failed_replies(now)), contact__in=lately, last_message_at__gte=now - FAILED_LATELY
            )
        case "asks_to_stop":
            return found.filter(asks_to_stop=True)
    return found


def closing_soon(now: datetime) -> QuerySet[Conversation]:
    """Where somebody waits for an answer, and free text may go for less than CLOSING_WITHIN."""
    closing = Conversation.objects.filter(_open(now), unread__gt=0)
    return closing.filter(last_mo_at__lt=now - SESSION_WINDOW + CLOSING_WITHIN)


def _sortable(found: QuerySet[Conversation], sort: str, now: datetime) -> QuerySet[Conversation]:
    """Those that have what the sort goes by."""
    if sort == "time_left":
        return found.filter(_open(now))
    return found.filter(unread__gt=0).annotate(waits_since=WAITS_SINCE) if sort == "waiting" else found


def _open(now: datetime) -> Q:
    return Q(channel=Channel.WHATSAPP, last_mo_at__gte=now - SESSION_WINDOW)


def _failed_replies(now: datetime) -> QuerySet[Message]:
    """Replies of staff that did not arrive, since the last thing that was said."""
    return _of_conversation(_failed(now)).filter(timeline_at__gte=OuterRef("last_message_at"))


def _failed(now: datetime) -> QuerySet[Message]:
    """Every recent one: what the index message_failed_reply is on."""
    return Message.objects.mts().filter(
        Q(send_state__in=FAILED_STATES) | Q(delivery_state=DeliveryState.UNDELIVERED),
        author__isnull=False,
        timeline_at__gte=now - FAILED_LATELY,
    )


def _of_conversation(messages: QuerySet[Message]) -> QuerySet[Message]:
    return messages.filter(contact=OuterRef("contact"), connection=OuterRef("connection"), channel=OuterRef("channel"))


def _last_message() -> Subquery:
    """What was last said here: what moves a conversation to the top. A campaign's message is no part of the talk."""
    shown = _of_conversation(Message.objects.filter(campaign=None, test_of=None).exclude(send_state=SendState.PLANNED))
    return Subquery(shown.order_by("-timeline_at", "-pk").values("pk")[:1])


def _with_last(rows: Sequence[Conversation], order: Iterable[str]) -> list[ConversationRow]:
    sent = RequestRecipient.objects.select_related("request").order_by("pk")
    messages = Message.objects.select_related(*TEXTS_FROM).prefetch_related(Prefetch("attempts", sent))
    last = messages.in_bulk([pk for row in rows if (pk := row.last_id)])  # type: ignore[attr-defined]
    texts, shut = said(last.values()), opt_outs(rows)
    found = ((row, row.last_id) for row in rows)  # type: ignore[attr-defined]
    return [
        ConversationRow(row, last.get(pk), texts.get(pk, ""), _cursor(row, order), shut[row.pk]) for row, pk in found
    ]


def _after(found: QuerySet[Conversation], order: Iterable[str], cursor: str | None) -> QuerySet[Conversation]:
    """Keyset: the rows behind the cursor in this order."""
    key = _key(cursor)
    if key is None:
        return found
    at, pk = key
    field = next(iter(order))
    beyond = "lt" if field.startswith("-") else "gt"
    name = field.removeprefix("-")
    further = Q(**{f"{name}__{beyond}": at}) | Q(**{name: at, f"pk__{beyond}": pk})
    return found.filter(further, **{f"{name}__{beyond}e": at})  # said apart, so that an index can begin there


def _key(cursor: str | None) -> tuple[datetime, int] | None:
    try:
        at, pk = (cursor or "").split("_")
        return datetime.fromisoformat(at), int(pk)
    except ValueError:
        return None


def _cursor(row: Conversation, order: Iterable[str]) -> str:
    at = getattr(row, next(iter(order)).removeprefix("-"))
    return f"{at.isoformat()}_{row.pk}"

"""The inbox: its saved views, and one conversation with its timeline, reply box and person."""

import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from contacts.consent import suppressions_for
from contacts.models import ContactField
from messaging import inbox
from messaging.clock import db_now
from messaging.inbox import Entry
from messaging.models import Conversation, Message
from messaging.statuses import Channel, SendState
from messaging.web.conversations.asked import VIEWS, Asked, within
from messaging.web.conversations.forms import ReplyForm
from messaging.web.conversations.ways import closed_choices, ways
from messaging.web.frame import parts, polling
from messaging.web.frame.context import nav_place
from messaging.web.frame.decorators import StaffRequest, staff_required

REPLY = "messaging.reply_conversation"
LIMIT = 50
MAILINGS = 5


@dataclass(frozen=True, slots=True)
class View:
    """One saved view in the rail."""

    key: str
    words: str
    count: int | None
    url: str
    current: bool


@require_safe
@staff_required("messaging.view_conversation")
def conversation_list(request: StaffRequest) -> HttpResponse:
    asked, before = Asked.read(request.GET), request.GET.get("before")
    page = inbox.conversations(
        view=asked.view,
        sort=asked.sort,
        user=request.user,
        search=asked.search,
        campaign=asked.campaign,
        before=before,
        limit=LIMIT,
    )
    return render(
        request,
        "messaging/conversation_list.html",
        {
            "rows": page.rows,
            "next": asked.query(page.next) if page.next else "",
            "first": asked.query() if before else "",
            "views": []
            if request.htmx.target == "conversations"
            else _views(request, asked.view),  # the rows alone change
            "asked": asked,
            "of_all": asked.query(campaign=None),
            "links": asked.query(after="_")[:-1],  # a row's cursor goes behind it
            "sorts": inbox.SORTS.items(),
            "now": db_now(),
        },
    )


def _views(request: StaffRequest, current: str) -> list[View]:
    counts = inbox.view_counts(request.user)
    urls = {key: Asked(key, inbox.own_sort(key)).query() for key in VIEWS}
    return [View(key, str(inbox.VIEWS[key]), counts.get(key), url, key == current) for key, url in urls.items()]


def find(public_id: str) -> Conversation:
    found = Conversation.objects.select_related("contact", "connection", "owner")
    return get_object_or_404(found, public_id=public_id)


@require_safe
@staff_required("messaging.view_conversation")
def conversation_detail(request: StaffRequest, public_id: str) -> HttpResponse:
    """It goes on waiting for us until somebody answers, or says that nothing is to be answered."""
    conversation = find(public_id)
    return show(request, conversation, ReplyForm(initial={"version": conversation.version}))


def show(request: StaffRequest, conversation: Conversation, form: ReplyForm, status: int = 200) -> HttpResponse:
    """The whole page around a reply as it stands."""
    before = request.GET.get("before")
    entries = inbox.timeline(conversation.contact, before=before, limit=LIMIT)
    box = reply_box(request, conversation, form)
    context = {
        "entries": entries,
        "earlier": f"?before={quote(entries[0].cursor)}" if len(entries) == LIMIT else "",
        "before": before,
        **asking_again(box, entries),
        **box,
        **person(conversation),
        **place(request),
    }
    return render(request, "messaging/conversation_detail.html", context, status=status)


def reply_box(request: StaffRequest, conversation: Conversation, form: ReplyForm) -> dict[str, Any]:
    """The reply box: its lane, its window, and what else is possible while the window is closed."""
    now = db_now()
    window = inbox.window_of(conversation, now)
    wanted = form.choices if form.refused else [] if window.open else closed_choices(conversation)
    found = ways(conversation, wanted)
    return {
        "conversation": conversation,
        "contact": conversation.contact,
        "window": window,
        "is_sms": conversation.channel == Channel.SMS,
        "form": form,
        "ways": found,
        "may_reply": request.user.has_perm(REPLY),
        "now": now,
        "left": found.chip or str(parts.window_chip(window.ends_at, now).words),
        "within": within(request.GET),
    }


def place(request: StaffRequest) -> dict[str, str]:
    """The view of the inbox that this was opened from, and what comes after it there."""
    asked, after = Asked.read(request.GET), request.GET.get("after", "")
    found = after and inbox.following(
        after, view=asked.view, sort=asked.sort, user=request.user, search=asked.search, campaign=asked.campaign
    )
    url = reverse("conversation_detail", args=[found[0].public_id]) + asked.query(after=found[1]) if found else ""
    return {"back": reverse("conversation_list") + asked.query(), "following": url}


def asking_again(box: dict[str, Any], entries: list[Entry]) -> dict[str, str]:
    """`every`: how soon the page asks; `seen`: what it has, which differs whenever it would look different."""
    conversation = box["conversation"]
    every = polling.conversation_asks([entry.message for entry in entries if entry.message], db_now())
    lines = [f"{entry.cursor}{entry.message.status if entry.message else ''}" for entry in entries]
    connection = conversation.connection.state
    about = (conversation.version, conversation.unread, conversation.asks_to_stop, conversation.owner_id, connection)
    shown = f"{lines}{about}{box['ways'].told}{every}"
    return {"every": every, "seen": hashlib.sha256(shown.encode()).hexdigest()[:16]}


@require_safe
@staff_required("messaging.view_conversation")
def conversation_live(request: StaffRequest, public_id: str) -> HttpResponse:
    """What changed since the page was drawn: all that moves, or the time left alone; 204 for nothing."""
    conversation = find(public_id)
    entries = inbox.timeline(conversation.contact, limit=LIMIT)
    box = reply_box(request, conversation, ReplyForm(initial={"version": conversation.version}))
    again = asking_again(box, entries)
    if request.GET.get("seen") == again["seen"] and request.GET.get("open") == _flag(box["window"].open):
        same = request.GET.get("left", box["left"]) == box["left"]
        return HttpResponse(status=204) if same else render(request, "messaging/_conversation_clock.html", box)
    context = box | again | person(conversation) | swapped_in(request, entries)
    return render(request, "messaging/_conversation_live.html", context)


def swapped_in(request: StaffRequest, entries: list[Entry]) -> dict[str, Any]:
    """The timeline of a page that is there already, and how many conversations still wait."""
    return {"entries": entries, "oob": True, "waiting": nav_place(request, "conversation_list")}


def _flag(value: bool) -> str:
    return "1" if value else "0"


def person(conversation: Conversation) -> dict[str, Any]:
    """The side panel."""
    contact = conversation.contact
    labels = dict(ContactField.objects.values_list("key", "label"))
    return {
        "lists": list(contact.lists.all()),
        "others": list(_others(conversation)),
        "mailings": list(_mailings(conversation)),
        "suppressions": suppressions_for([bytes(contact.address_hmac)])[bytes(contact.address_hmac)]
        if contact.address_hmac
        else [],
        "fields": [(labels.get(key, key), value) for key, value in contact.fields.items()],
    }


def _mailings(conversation: Conversation) -> QuerySet[Message]:
    """What campaigns last sent, or would not send, to this person."""
    found = Message.objects.mts().filter(contact=conversation.contact_id, campaign__isnull=False)
    found = found.exclude(send_state=SendState.PLANNED).select_related("campaign")
    return found.order_by("-timeline_at", "-pk")[:MAILINGS]


def _others(conversation: Conversation) -> QuerySet[Conversation]:
    found = Conversation.objects.filter(contact=conversation.contact_id).exclude(pk=conversation.pk)
    return found.select_related("connection").order_by("-last_message_at")

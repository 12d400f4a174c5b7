"""The first page: what needs me, what is running, what stopped and why."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contacts.models import Contact, ContactImport
from messaging import campaigns, inbox, reports, sending, webhooks
from messaging.clock import db_now
from messaging.models import Campaign, Connection, Conversation, Message
from messaging.statuses import Sums
from messaging.web.connections.figures import last_signs, next_step, trouble
from messaging.web.frame import polling
from messaging.web.frame.context import MANY, campaigns_to_decide, templates_to_decide
from messaging.web.frame.decorators import StaffRequest, staff_required
from messaging.web.frame.parts import Bar, Piece

State = Campaign.State
LIVE = (State.PREPARING, State.RUNNING, State.PAUSED)
SHOWN = 8
LATELY = 3
IMPORTS_SINCE = timedelta(days=2)


@dataclass(frozen=True)
class Need:
    """One thing that waits for this user; without a URL somebody else has to act."""

    tone: str
    icon: str
    words: str | Promise
    url: str
    more: str | Promise = ""


@staff_required()
def dashboard(request: StaffRequest) -> HttpResponse:
    user: Any = request.user
    connections = list(Connection.objects.all()) if user.has_perm("messaging.view_connection") else []
    signs, troubles = last_signs(connections), trouble(connections)
    return render(
        request,
        "messaging/dashboard.html",
        {
            "needs": _needs(user),
            "stopped": [
                (one, troubles.get(one.pk, []), next_step(one))
                for one in connections
                if one.state != Connection.State.OK or troubles.get(one.pk)
            ],
            "connections": [(one, signs[one.pk]) for one in connections],
            "started": bool(connections) and Contact.objects.exists(),
            **_running(request),
        },
    )


@staff_required("messaging.view_campaign")
def running(request: StaffRequest) -> HttpResponse:
    """The part that moves, asked for again and again by htmx."""
    return render(request, "messaging/_running.html", _running(request))


def _running(request: StaffRequest) -> dict[str, Any]:
    if not request.user.has_perm("messaging.view_campaign"):
        return {"live": [], "asked": [], "next": [], "ended": [], "every": polling.SELDOM}
    live = Campaign.objects.filter(state__in=LIVE).select_related("connection").order_by("-pk")[:SHOWN]
    asked = Campaign.objects.filter(state=State.IN_REVIEW, submitted_by=request.user.pk).order_by("submitted_at")[
        :SHOWN
    ]
    coming = Campaign.objects.filter(state=State.SCHEDULED).select_related("connection").order_by("send_at", "pk")
    sums, now = [(campaign, reports.sums(campaign)) for campaign in live], db_now()
    every = polling.soonest(polling.campaign_asks(campaign, counted, now) for campaign, counted in sums)
    rows = [(campaign, progress(counted)) for campaign, counted in sums]
    ended = Campaign.objects.filter(state=State.FINISHED).order_by("-finished_at", "-pk")[:LATELY]
    return {
        "live": rows, "asked": list(asked), "next": list(coming[:SHOWN]), "ended": list(ended), "every": every,
    }  # fmt: skip


def progress(sums: Sums) -> Bar:
    """A campaign's audience by what became of it."""
    stopped = sums.cancelled + sums.expired + sums.stuck
    return Bar(
        _("People"),
        [
            Piece(_("Delivered"), sums.delivered, "ok"),
            Piece(_("On the way"), sums.waiting + sums.in_flight, "info"),
            Piece(_("Not delivered"), sums.undelivered + sums.refused, "bad"),
            Piece(_("Unknown"), sums.unknown, "unsure"),
            Piece(_("Held back"), sums.held, "wait"),
            Piece(_("Skipped"), sums.skipped, "quiet"),
            Piece(_("Stopped"), stopped, "quiet"),
            Piece(_("To send"), sums.to_send, "none"),
        ],
    )


def _needs(user: Any) -> list[Need]:
    campaigns_of = (_campaigns(user), _approved(user), _returned(user))
    found = [_templates(user), *campaigns_of, *_unknowns(user), *_conversations(user), *_imports(user)]
    return [need for need in found if need] + _endpoints(user)


def _templates(user: Any) -> Need | None:
    many = _count(templates_to_decide(user)) if user.has_perm("messaging.approve_templateversion") else 0
    words = ngettext("%(n)s template waits for your approval", "%(n)s templates wait for your approval", many)
    return Need("wait", "template", words % _n(many), reverse("review_queue") + "?mine=1") if many else None


def _campaigns(user: Any) -> Need | None:
    if not user.has_perm("messaging.approve_campaign"):
        return None
    waiting = list(campaigns_to_decide(user)[: MANY + 1])
    words = ngettext("%(n)s campaign waits for your approval", "%(n)s campaigns wait for your approval", len(waiting))
    return _of_campaigns(waiting, words, "review")


def _approved(user: Any) -> Need | None:
    """Approved, and nothing leaves before one of those who may start it does."""
    if not user.has_perm("messaging.launch_campaign"):
        return None
    waiting = list(Campaign.objects.filter(state=State.APPROVED).order_by("approved_at")[: MANY + 1])
    words = ngettext(
        "%(n)s approved campaign waits for its start", "%(n)s approved campaigns wait for their start", len(waiting)
    )
    return _of_campaigns(waiting, words, "waiting")


def _returned(user: Any) -> Need | None:
    """Drafts of this user that an approver sent back."""
    if not user.has_perm("messaging.change_campaign"):
        return None
    waiting = list(campaigns.returned_to(user).order_by("pk")[: MANY + 1])
    words = ngettext("%(n)s campaign came back to you", "%(n)s campaigns came back to you", len(waiting))
    return _of_campaigns(waiting, words, "draft")


def _of_campaigns(waiting: list[Campaign], words: str, group: str) -> Need | None:
    """One leads to itself, several to the list of their state."""
    if not waiting:
        return None
    names = ", ".join(campaign.name for campaign in waiting[:3])
    several = reverse("campaign_list") + f"?state={group}"
    url = several if len(waiting) > 1 else reverse("campaign_detail", args=[waiting[0].public_id])
    return Need("wait", "campaign", words % _n(len(waiting)), url, names)


def _unknowns(user: Any) -> list[Need]:
    if not user.has_perm("messaging.judge_message"):
        return []
    url, unknown, stuck = reverse("unknown_list"), _count(Message.objects.unknowns()), _count(sending.stuck())
    said = ngettext("%(n)s message is unknown", "%(n)s messages are unknown", unknown) % _n(unknown)
    more = ngettext(
        "It may or may not have left. A delivery notification settles it, or you do.",
        "They may or may not have left. A delivery notification settles them, or you do.",
        unknown,
    )
    broken = ngettext("%(n)s message is stuck", "%(n)s messages are stuck", stuck) % _n(stuck)
    why = _("Each broke its worker three times. Nothing moves them but a person.")
    needs = [Need("unsure", "question", said, url, more)] if unknown else []
    return needs + ([Need("bad", "alert", broken, f"{url}#stuck", why)] if stuck else [])


def _conversations(user: Any) -> list[Need]:
    if not user.has_perm("messaging.reply_conversation"):
        return []
    waiting = _count(Conversation.objects.filter(unread__gt=0))
    asking = _count(Conversation.objects.filter(asks_to_stop=True))
    closing = _count(inbox.closing_soon(db_now()))
    url = reverse("conversation_list")
    ending = ngettext(
        "Less than 2 h left to answer %(n)s person in free text",
        "Less than 2 h left to answer %(n)s people in free text",
        closing,
    )
    said = ngettext("%(n)s person waits for an answer", "%(n)s people wait for an answer", waiting) % _n(waiting)
    asked = ngettext("%(n)s person may be asking us to stop", "%(n)s people may be asking us to stop", asking)
    needs = [Need("info", "messages", said, f"{url}?view=waiting")] if waiting else []
    needs += [Need("bad", "clock", ending % _n(closing), f"{url}?view=closing")] if closing else []
    return needs + ([Need("bad", "ban", asked % _n(asking), f"{url}?view=asks_to_stop")] if asking else [])


def _imports(user: Any) -> list[Need]:
    if not user.has_perm("contacts.add_contactimport"):
        return []
    own = ContactImport.objects.filter(created_by=user)
    waiting = own.filter(state=ContactImport.State.COLUMNS)[:SHOWN]
    mine = own.filter(finished_at__gte=db_now() - IMPORTS_SINCE, settled_at=None)
    return [
        Need(
            "wait",
            "upload",
            _("%(file)s waits: say which column is which") % {"file": one.file_name},
            reverse("import_columns", args=[one.public_id]),
        )
        for one in waiting
    ] + [
        Need(
            "wait" if one.state == ContactImport.State.DONE else "bad",
            "upload",
            ngettext("%(file)s: %(n)s row did not go in", "%(file)s: %(n)s rows did not go in", one.bad)
            % {"file": one.file_name, "n": one.bad}
            if one.state == ContactImport.State.DONE
            else _("%(file)s could not be imported") % {"file": one.file_name},
            reverse("import_detail", args=[one.public_id]),
            one.error,
        )
        for one in mine[:SHOWN]
        if one.bad or one.state == ContactImport.State.FAILED
    ]


def _endpoints(user: Any) -> list[Need]:
    """Those that stopped by themselves: for whoever runs them, and for their owners, who may not be able to."""
    runs, stopped = user.has_perm("messaging.manage_apiclient"), webhooks.stopped_by_themselves()
    return [
        Need(
            "bad",
            "alert",
            _("Events no longer go to %(url)s") % {"url": one.host},
            reverse("webhook_detail", args=[one.public_id]) if runs else "",
            one.paused_because if runs else _("%(why)s Ask an admin.") % {"why": one.paused_because},
        )
        for one in (stopped if runs else stopped.filter(owner=user))[:SHOWN]
    ]


def _count(rows: Any) -> int:
    return len(rows.order_by().values_list("pk")[: MANY + 1])


def _n(many: int) -> dict[str, str]:
    return {"n": str(many) if many <= MANY else f"{MANY}+"}

"""The work list of messages that a person must decide about, and of DNs without a message."""

from uuid import UUID

from django.contrib import messages
from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from messaging import inbox, nudges, sending
from messaging.models import Campaign, DeliveryNotice, Outcome, ProviderRequest, RequestRecipient, ResolvedBy
from messaging.web.frame.answers import ask, go
from messaging.web.frame.decorators import StaffRequest, staff_required
from messaging.web.frame.paging import paginate
from messaging.web.frame.parts import Sheet
from messaging.web.unknowns.judging import Act, decide
from messaging.web.unknowns.stuck import stuck_messages

PAGE = 20
SHOWN = 50  # of the parked and of the stuck
ACTS = {
    "wait": Act(
        sending.keep_waiting,
        _("Keep waiting?"),
        _("It stays unknown, and the history says that you looked. A delivery notification still settles it."),
        _("Keep waiting"),
    ),
    "sent": Act(
        sending.treat_as_sent,
        _("Treat it as sent?"),
        _("It counts as accepted from now on, marked as your decision. Nothing is sent again."),
        _("Treat as sent"),
    ),
    "never": Act(
        sending.treat_as_not_sent,
        _("Say that it never arrived?"),
        _(
            "It counts as cancelled and nothing is sent again. If the provider had it after all, a late delivery "
            "notification may still prove otherwise: it is then shown, and changes nothing."
        ),
        _("It never arrived"),
        danger=True,
    ),
    "again": Act(
        sending.send_again,
        _("Send it again?"),
        _("If the provider did get the first one, the person gets the same message twice. It is queued at once."),
        _("Send again, knowing that"),
        danger=True,
    ),
}


@require_safe
@staff_required("messaging.view_campaign")
def unknown_list(request: StaffRequest) -> HttpResponse:
    """One card a request, because what happened to one of its people happened to all."""
    campaign = _campaign(request)
    page = paginate(_requests(campaign), request, "pk", size=PAGE)
    _attach(page.rows)
    parked = DeliveryNotice.objects.filter(state=DeliveryNotice.State.PARKED).select_related("connection")
    return render(
        request,
        "messaging/unknown_list.html",
        {
            "page": page,
            "campaign": campaign,
            "settled_by_dn": _settled(),
            "stuck": list(stuck_messages(campaign)[: SHOWN + 1]),
            "parked": list(parked.order_by("-received_at")[: SHOWN + 1]),
            "shown": SHOWN,
        },
    )


def _campaign(request: StaffRequest) -> Campaign | None:
    public_id = request.GET.get("campaign", "")
    try:
        return Campaign.objects.filter(public_id=UUID(public_id)).first()
    except ValueError:
        return None


def _requests(campaign: Campaign | None) -> QuerySet[ProviderRequest]:
    """Requests with somebody unknown in them."""
    open_rows = RequestRecipient.objects.filter(outcome=Outcome.UNKNOWN, superseded_at=None)
    if campaign:
        open_rows = open_rows.filter(message__campaign=campaign)
    return ProviderRequest.objects.filter(pk__in=open_rows.values("request")).select_related("connection")


def _attach(requests: list[ProviderRequest]) -> None:
    """Each request's cause in words, and its people that are still unknown, in one query."""
    rows = RequestRecipient.objects.filter(
        request__in=requests, outcome=Outcome.UNKNOWN, superseded_at=None, message__send_state="unknown"
    )
    found: dict[int, list[RequestRecipient]] = {}
    for row in rows.select_related("message__contact", "message__campaign").order_by("position"):
        found.setdefault(row.request_id, []).append(row)
    for one in requests:
        one.people = found.get(one.pk, [])  # type: ignore[attr-defined]
        one.cause = inbox.said_by(one).rstrip(".")  # type: ignore[attr-defined]


def _settled() -> int:
    """How many unknowns of the past a delivery notification settled."""
    return RequestRecipient.objects.filter(resolved_by=ResolvedBy.DN).count()


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required("messaging.judge_message")
def unknown_act(request: StaffRequest, public_id: str, act: str) -> HttpResponse:
    """GET asks, naming the risk and how many; POST decides for everyone in the request who is still unknown."""
    if act not in ACTS:
        raise Http404
    sent = get_object_or_404(ProviderRequest.objects.select_related("connection"), public_id=public_id)
    _attach([sent])
    people = sent.people  # type: ignore[attr-defined]
    chosen = ACTS[act]
    if request.method != "POST":
        risk = ngettext("This is about %s person.", "This is about %s people.", len(people)) % len(people)
        told = f"{chosen.words} {risk}"
        sheet = Sheet(chosen.title, chosen.button, request.path, reverse("unknown_list"), told, danger=chosen.danger)
        return ask(request, sheet)
    decide(request, chosen, [row.message for row in people])
    if not people:
        messages.info(request, _now("None of them is unknown any more."))
    nudges.drain(sent.connection_id)
    return go(request, reverse("unknown_list"))

"""Messages that broke their worker three times: what a person decides about each."""

from django.db.models import QuerySet
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from messaging import nudges, sending
from messaging.models import Campaign, Message
from messaging.web.frame.answers import ask, go
from messaging.web.frame.decorators import StaffRequest, staff_required
from messaging.web.frame.parts import Sheet
from messaging.web.unknowns.judging import Act, decide

ACTS = {
    "again": Act(
        sending.try_stuck_again,
        _("Try it again, alone?"),
        _("It never got as far as the provider. If it breaks its worker again, it comes back here."),
        _("Try again, alone"),
    ),
    "give-up": Act(
        sending.give_up_stuck,
        _("Give it up?"),
        _("It counts as cancelled, and this person does not get it."),
        _("Give up"),
        danger=True,
    ),
}


def stuck_messages(campaign: Campaign | None) -> QuerySet[Message]:
    """Oldest first, with what the list names of them."""
    rows = sending.stuck().select_related("contact", "connection", "campaign").order_by("pk")
    return rows.filter(campaign=campaign) if campaign else rows


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required("messaging.judge_message")
def stuck_act(request: StaffRequest, public_id: str, act: str) -> HttpResponse:
    """GET asks; POST decides about the one message."""
    if act not in ACTS:
        raise Http404
    message = get_object_or_404(Message, public_id=public_id)
    chosen, back = ACTS[act], reverse("unknown_list")
    if request.method != "POST":
        return ask(request, Sheet(chosen.title, chosen.button, request.path, back, chosen.words, danger=chosen.danger))
    decide(request, chosen, [message])
    nudges.drain(message.connection_id)
    return go(request, back)

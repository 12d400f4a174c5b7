"""One person in a campaign: what was planned, what happened, step by step."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from messaging import campaigns
from messaging.models import Campaign, Message
from messaging.web.campaigns.page import find, lines
from messaging.web.conversations.message import told
from messaging.web.frame.answers import in_dialog
from messaging.web.frame.decorators import StaffRequest, staff_required


@require_safe
@staff_required("messaging.view_campaign")
def campaign_person(request: StaffRequest, public_id: str, message_id: str) -> HttpResponse:
    """In a dialog over the table, or as a page of its own."""
    campaign = find(public_id)
    rows = campaign.messages.select_related("contact", "connection", "template_version")
    message = get_object_or_404(rows, public_id=message_id)
    template = "messaging/_campaign_person.html" if in_dialog(request) else "messaging/campaign_person.html"
    return render(request, template, _context(campaign, message))


def _context(campaign: Campaign, message: Message) -> dict[str, object]:
    message.campaign = campaign
    sent = message.attempts.select_related("request").order_by("-pk").first()
    line = lines(campaign, [message])[0]
    return {
        "campaign": campaign,
        "message": message,
        "line": line,
        "testable": campaign.state in campaigns.TESTABLE,
        "text": sent.request.text if sent else line.text,
        **told(message),
    }

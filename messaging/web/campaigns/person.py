"""One person in a campaign: what would happen, what was planned, what happened, step by step."""

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from contacts import consent
from contacts.models import Contact, ListMembership
from messaging import campaigns, planning
from messaging.clock import db_now
from messaging.models import Campaign, Message
from messaging.policy import Lane
from messaging.reasons import reason_change
from messaging.web.campaigns.page import find, lines
from messaging.web.contacts.scopes import bad_words, stopped_words
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
    return _show(request, message.contact, "messaging/_campaign_person.html", _context(campaign, message))


@require_safe
@staff_required("messaging.view_campaign")
def campaign_person_planned(request: StaffRequest, public_id: str, contact_id: str) -> HttpResponse:
    """What somebody in a draft's lists would get; once it is submitted, their line of the plan."""
    campaign = find(public_id)
    if campaign.state != Campaign.State.DRAFT:
        message = get_object_or_404(campaign.messages.counted(), contact__public_id=contact_id)
        return redirect("campaign_person", public_id, message.public_id)
    included = campaign.audience.filter(excluded=False).values("contact_list")
    listed = ListMembership.objects.filter(contact_list__in=included).values("contact")
    contact = get_object_or_404(Contact, public_id=contact_id, pk__in=listed)
    row = planning.preview(campaign=campaign, contact=contact, at=planning.plan_time(campaign, db_now()))
    change = reason_change(row.reason) if row.lane == Lane.SKIPPED else ""
    context = {"campaign": campaign, "row": row, "change": change}
    return _show(request, contact, "messaging/_campaign_person_planned.html", context)


def _show(request: StaffRequest, person: Contact, part: str, context: dict[str, object]) -> HttpResponse:
    template = part if in_dialog(request) else "messaging/campaign_person.html"
    stopped = consent.suppressions_for([bytes(person.address_hmac)] if person.address_hmac else [])
    limits = [stopped_words(row) for rows in stopped.values() for row in rows] + bad_words(person)
    return render(request, template, context | {"person": person, "part": part, "limits": limits})


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

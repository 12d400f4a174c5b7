"""Campaigns: the list, a new one, and the one page that each has whatever its state."""

from django.db.models import QuerySet
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from messaging import campaigns, reports
from messaging.clock import db_now
from messaging.models import Campaign, Connection
from messaging.text import storable
from messaging.web.campaigns import draft, jumps, preview, report, review
from messaging.web.campaigns.figures import fate_bar
from messaging.web.campaigns.forms import NewCampaignForm
from messaging.web.campaigns.page import BEFORE_START, find
from messaging.web.frame.answers import attempt_form
from messaging.web.frame.decorators import StaffRequest, staff_required
from messaging.web.frame.paging import paginate
from messaging.web.frame.parts import Choice, Search

State = Campaign.State
PAGE = 20
STATE_GROUPS = {
    "": (_("All"), ()),
    "draft": (_("Draft"), (State.DRAFT,)),
    "review": (_("In review"), (State.IN_REVIEW,)),
    "waiting": (_("Approved or scheduled"), (State.APPROVED, State.SCHEDULED)),
    "running": (_("Running or paused"), (State.PREPARING, State.RUNNING, State.PAUSED)),
    "over": (_("Finished or cancelled"), (State.FINISHED, State.CANCELLED)),
}


@require_safe
@staff_required("messaging.view_campaign")
def campaign_list(request: StaffRequest) -> HttpResponse:
    search, group = storable(request.GET.get("q", "")).strip(), request.GET.get("state", "")
    page = paginate(_found(search, group), request, "-pk", size=PAGE)
    sums = reports.sums_of(page.rows)
    for campaign in page.rows:
        campaign.sums = sums[campaign.pk]
        campaign.bar = fate_bar(campaign.sums)
    return render(
        request,
        "messaging/campaign_list.html",
        {
            "page": page,
            "searched": bool(search or group),
            "connections": Connection.objects.exists(),
            "filters": [
                Search("q", _("Name"), search, _("Gotong-royong")),
                Choice("state", _("State"), group, [(key, words) for key, (words, _states) in STATE_GROUPS.items()]),
            ],
        },
    )


def _found(search: str, group: str) -> QuerySet[Campaign]:
    rows = Campaign.objects.select_related("connection", "submitted_by")
    states = STATE_GROUPS.get(group, STATE_GROUPS[""])[1]
    rows = rows.filter(state__in=states) if states else rows
    return rows.filter(name__icontains=search) if search else rows


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required("messaging.add_campaign")
def campaign_new(request: StaffRequest) -> HttpResponse:
    form = NewCampaignForm(request.POST or None, initial={"purpose": "service"})
    if request.method == "POST" and form.is_valid():
        campaign = attempt_form(form, campaigns.create_campaign, user=request.user, now=db_now(), **form.cleaned_data)
        if campaign:
            return redirect("campaign_detail", campaign.public_id)
    status = 422 if form.errors else 200
    return render(
        request,
        "messaging/campaign_new.html",
        {"form": form, "connections": Connection.objects.exists()},
        status=status,
    )


@never_cache  # going back shows what it is now
@require_http_methods(["GET", "HEAD", "POST"])
@staff_required("messaging.view_campaign")
def campaign_detail(request: StaffRequest, public_id: str) -> HttpResponse:
    """Draft: the composer. Until it starts: the plan and its approval. Afterwards: the report."""
    campaign = find(public_id)
    if request.method == "POST":
        return staff_required("messaging.change_campaign")(draft.save)(request, campaign)
    if campaign.state == State.DRAFT:
        return draft.composer(request, campaign)
    if campaign.state in BEFORE_START:
        return review.review(request, campaign)
    return report.report(request, campaign)


@require_safe
@staff_required("messaging.view_campaign")
def campaign_live(request: StaffRequest, public_id: str) -> HttpResponse:
    """What changes by itself: figures of a started campaign; before that how far the plan is, and who did something."""
    campaign = find(public_id)
    if campaign.state in BEFORE_START:
        return review.live(request, campaign)
    return report.live(request, campaign)


@require_safe
@staff_required("messaging.view_campaign")
def campaign_preview(request: StaffRequest, public_id: str) -> HttpResponse:
    """The phone of another person in a draft's audience."""
    return preview.preview_part(request, find(public_id))


@require_safe
@staff_required("messaging.view_campaign")
def campaign_counts(request: StaffRequest, public_id: str) -> HttpResponse:
    """The figures of a draft that came without them."""
    return draft.counts_part(request, find(public_id))


@require_safe
@staff_required("messaging.view_campaign")
def campaign_examples(request: StaffRequest, public_id: str) -> HttpResponse:
    """The chips of a draft's phone that came without them."""
    return jumps.jumps_part(request, find(public_id))

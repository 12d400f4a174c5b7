"""The composer: one page of five parts that saves itself, with the flight plan of what is saved."""

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from contacts.models import ContactField, ContactList
from messaging import campaigns, draft_plan, nudges, planning
from messaging.clock import db_now
from messaging.errors import Refused, Stale
from messaging.models import Campaign
from messaging.planning import LaneCount
from messaging.policy import Lane
from messaging.text import storable
from messaging.web.campaigns.anchors import anchors, plan_answer, removed_words
from messaging.web.campaigns.checks import Finding, sms_findings, text_findings
from messaging.web.campaigns.conflict import Difference, differences
from messaging.web.campaigns.duration import duration_words
from messaging.web.campaigns.figures import lane_groups, to_leave
from messaging.web.campaigns.forecast import Forecast, at_once, forecast
from messaging.web.campaigns.forms import CampaignForm
from messaging.web.campaigns.hours import strip
from messaging.web.campaigns.jumps import jumps
from messaging.web.campaigns.page import approver_names, returned, story
from messaging.web.campaigns.preview import Preview, first_preview, number, preview
from messaging.web.campaigns.recount import Recount, recount
from messaging.web.frame.decorators import StaffRequest

PLAN_ROWS = 10


def composer(request: StaffRequest, campaign: Campaign) -> HttpResponse:
    """The page itself."""
    return render(request, "messaging/campaign_draft.html", page(request, campaign, CampaignForm(campaign=campaign)))


def save(request: StaffRequest, campaign: Campaign) -> HttpResponse:
    """Keep the draft, and ask for approval if that button was pressed. A refusal keeps what was typed.

    What the page had not counted is saved and shown first: nobody asks for approval of people that they did not see.
    """
    data = request.POST.copy()
    if seen := request.POST.get("overwrite"):  # they saw what differs and want theirs
        data["version"] = seen
    if "hour" in request.POST:  # a bar was pressed
        data["send_at"] = request.POST["hour"]
    form = CampaignForm(data, campaign=campaign)
    conflict: list[Difference] | None = None
    saved_at = None
    again: Recount | None = None
    if form.is_valid():
        try:
            now = db_now()
            campaign = campaigns.edit_campaign(campaign=campaign, user=request.user, now=now, **form.changes())
            saved_at = now
            if request.POST.get("act") == "submit":
                problems = campaigns.problems(campaign)
                again = None if problems else recount(campaign, request.POST.get("seen", ""), now)
                if again is None:
                    saved = campaign.version
                    campaigns.submit_campaign(
                        campaign=campaign, user=request.user, now=now, version=saved, note=_note(request)
                    )
                    return _done(request, campaign)
        except Stale as refused:
            campaign = Campaign.objects.select_related("connection", "template_version__template").get(pk=campaign.pk)
            conflict = differences(campaign, form)
            form.add_error(None, str(refused.words))
        except Refused as refused:
            form.add_error(None, str(refused.words))
    return _answer(request, campaign, form, conflict, saved_at, again)


def _note(request: StaffRequest) -> str:
    return storable(request.POST.get("note", "")).strip()[: campaigns.NOTE_LIMIT]


def _done(request: StaffRequest, campaign: Campaign) -> HttpResponse:
    nudges.tick()
    messages.success(request, _("Approval asked for. The flight plan is being written."))
    page_of_it = reverse("campaign_detail", args=[campaign.public_id])
    if request.htmx:
        return HttpResponse(status=204, headers={"HX-Redirect": page_of_it})
    return redirect(page_of_it)


def _answer(
    request: StaffRequest,
    campaign: Campaign,
    form: CampaignForm,
    conflict: list[Difference] | None,
    saved_at: datetime | None,
    again: Recount | None,
) -> HttpResponse:
    if saved_at and not request.htmx and not form.errors and not again:
        messages.success(request, _("Saved."))
        return redirect("campaign_detail", campaign.public_id)
    context = page(request, campaign, form, again.counted if again else None)
    context |= {"conflict": conflict, "saved_at": saved_at, "again": again, "oob": bool(request.htmx)}
    if request.htmx:
        return render(request, "messaging/_campaign_saved.html", context)
    return render(
        request, "messaging/campaign_draft.html", context, status=409 if conflict is not None or again else 422
    )


def page(
    request: StaffRequest, campaign: Campaign, form: CampaignForm, counted: Forecast | None = None
) -> dict[str, Any]:
    """Everything that the page shows of the draft as it is saved; the form may hold something newer."""
    now = db_now()
    counted = counted or (forecast(campaign, now) if _count_here(request) else at_once(campaign, now))
    findings, told = text_notes(campaign), story(campaign)
    return {
        "form": form,
        "version": campaign.version,
        "conflict": None,
        "saved_at": None,
        "again": None,
        "note": _note(request),
        "note_limit": campaigns.NOTE_LIMIT,
        **lists(form),
        "findings": findings,
        "keys": [("name", _("Name")), ("msisdn", _("Number")), *ContactField.objects.values_list("key", "label")],
        "now": now,
        "story": told,
        "returned": returned(told),
        **figures(request, campaign, counted, findings, now),
    }


def _count_here(request: StaffRequest) -> bool:
    """Whether the page was asked for with all its figures: a browser without scripts has no other way to them."""
    return not request.htmx and request.GET.get("count") == "now"


def counts_part(request: StaffRequest, campaign: Campaign) -> HttpResponse:
    """What hangs on the counts of many people, for a page that came without them; counting takes its time here."""
    if not request.htmx:
        return redirect(f"{reverse('campaign_detail', args=[campaign.public_id])}?count=now#plan")
    if campaign.state != Campaign.State.DRAFT:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    now = db_now()
    context = figures(request, campaign, forecast(campaign, now), text_notes(campaign), now)
    return render(request, "messaging/_campaign_counts.html", context)


def figures(
    request: StaffRequest,
    campaign: Campaign,
    counted: Forecast | None,
    findings: dict[str, list[Finding]],
    now: datetime,
) -> dict[str, Any]:
    """What hangs on the counts; while there are none the page says so and asks for them."""
    at = planning.plan_time(campaign, now)
    problems = campaigns.problems(campaign)
    query = _query(request, campaign)
    k = number(request.POST.get("k") or query.get("k"))
    lane, reason, after = query.get("lane", ""), query.get("reason", ""), number(query.get("after"))
    search = query.get("q", "").strip()[:100]
    counts = counted.counts if counted else []
    return {
        "campaign": campaign,
        "editable": request.user.has_perm("messaging.change_campaign"),
        "counted": counted,
        "audience": counted and counted.audience,
        "removed": removed_words(counted.audience) if counted else [],
        "groups": lane_groups(counts),
        "leaving": to_leave(counts),
        "as_counted": plan_answer(to_leave(counts), counts) if counted else "",
        "named": named(campaign),
        "problems": problems,
        "approvers": approver_names(campaign, request.user),
        "anchors": anchors(campaign, counted, findings, problems, now),
        "preview": _preview(campaign, at, counted, k) if counted else None,
        "jumps": jumps(campaign, here=_count_here(request)) if counted else [],
        "at": at,
        "strip": strip(campaign, counted.hours if counted else None, now),
        "takes": duration_words(campaign, counts, at) if counted else "",
        **plan_table(campaign, at, counts, lane=lane, reason=reason, after=after, search=search),
    }


def _preview(campaign: Campaign, at: datetime, counted: Forecast, k: int) -> Preview:
    return preview(campaign, at, counted.audience.audience, k) if k else first_preview(campaign, at, counted)


def named(campaign: Campaign) -> dict[str, str]:
    """The lists that the draft sends to and leaves out, by name, as they are saved."""
    rows = campaign.audience.order_by("contact_list__name").values_list("excluded", "contact_list__name")
    names: dict[bool, list[str]] = {False: [], True: []}
    for excluded, name in rows:
        names[excluded].append(name)
    return {"include": ", ".join(names[False]), "exclude": ", ".join(names[True])}


def lists(form: CampaignForm) -> dict[str, Any]:
    """All lists in an order that ticking does not change, and which of them the form names."""
    chosen = {
        name: {int(pk) for pk in form[name].value() or () if str(pk).isdigit()} for name in ("include", "exclude")
    }
    return {"lists": ContactList.objects.with_people().order_by("name"), **chosen}


def _query(request: StaffRequest, campaign: Campaign) -> QueryDict:
    """What the page's address asks for: a saving or a count by htmx goes to another one, and leaves the page's."""
    page_itself = request.method != "POST" and request.path == reverse("campaign_detail", args=[campaign.public_id])
    if page_itself or not request.htmx:
        return request.GET
    return QueryDict(urlsplit(request.htmx.current_url or "").query)


def text_notes(campaign: Campaign) -> dict[str, list[Finding]]:
    """What there is to say about each text."""
    keys = set(ContactField.objects.values_list("key", flat=True))
    return {
        "session": text_findings(campaign.session_text, keys=keys),
        "sms": text_findings(campaign.sms_text, keys=keys) + sms_findings(campaign.sms_text),
    }


def plan_table(
    campaign: Campaign,
    at: datetime,
    counts: list[LaneCount],
    *,
    lane: str = "",
    reason: str = "",
    after: int = 0,
    search: str = "",
) -> dict[str, Any]:
    """One page of the plan, and where the next begins. Who has no such lane or reason is not looked for."""
    lane = lane if lane in list(Lane) and not search else ""
    there = any(lane in ("", one.lane) and reason in ("", one.reason) for one in counts)
    limit = PLAN_ROWS + 1
    if search and counts:
        rows = draft_plan.search(campaign, at, search, after=after, limit=limit)
    else:
        rows = draft_plan.people(campaign, at, lane=lane, reason=reason, after=after, limit=limit) if there else []
    shown = rows[:PLAN_ROWS]
    return {
        "plan_rows": shown,
        "plan_lane": lane,
        "plan_reason": "" if search else reason,
        "plan_search": search,
        "plan_after": after,
        "plan_next": shown[-1].contact.pk if len(rows) > PLAN_ROWS else None,
    }

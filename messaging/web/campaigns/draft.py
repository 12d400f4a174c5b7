"""The composer: one page of five parts that saves itself, with the flight plan of what is saved."""

import random
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from contacts.models import ContactField, ContactList
from messaging import campaigns, draft_plan, nudges, planning
from messaging.clock import db_now
from messaging.errors import Refused, Stale
from messaging.models import Campaign
from messaging.planning import LaneCount, PlanRow
from messaging.policy import Lane
from messaging.web.campaigns.anchors import anchors, removed_words
from messaging.web.campaigns.checks import Finding, sms_findings, text_findings
from messaging.web.campaigns.figures import lane_groups, to_leave
from messaging.web.campaigns.forecast import Forecast, forecast
from messaging.web.campaigns.forms import CampaignForm
from messaging.web.campaigns.page import story
from messaging.web.frame.decorators import StaffRequest

PLAN_ROWS = 25
COMPARED = ("name", "session_text", "sms_text", "template_version", "send_at", "not_after", "purpose", "connection")


@dataclass(frozen=True, slots=True)
class Preview:
    """What person `k` of `total` would get; `row` is None in an empty audience."""

    k: int
    total: int
    row: PlanRow | None

    @property
    def sms(self) -> bool:
        """Whether the phone shows an SMS; a held text is drawn for the lane that it waits for."""
        return bool(self.row and (self.row.lane == Lane.SMS or self.row.parts > 1))

    @property
    def foot(self) -> str:
        if not self.row or not self.sms:
            return ""
        return ngettext("%s part", "%s parts", self.row.parts) % self.row.parts

    @property
    def before(self) -> int:
        return self.k - 1 if self.k > 1 else self.total

    @property
    def after(self) -> int:
        return self.k + 1 if self.k < self.total else 1


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that somebody else saved otherwise than it stands in this form."""

    label: str
    theirs: str
    yours: str


def composer(request: StaffRequest, campaign: Campaign) -> HttpResponse:
    """The page itself."""
    return render(request, "messaging/campaign_draft.html", page(request, campaign, CampaignForm(campaign=campaign)))


def save(request: StaffRequest, campaign: Campaign) -> HttpResponse:
    """Keep the draft, and ask for approval if that button was pressed. A refusal keeps what was typed."""
    data = request.POST.copy()
    if seen := request.POST.get("overwrite"):  # they saw what differs and want theirs
        data["version"] = seen
    form = CampaignForm(data, campaign=campaign)
    conflict: list[Difference] | None = None
    saved_at = None
    if form.is_valid():
        try:
            now = db_now()
            campaign = campaigns.edit_campaign(campaign=campaign, user=request.user, now=now, **form.changes())
            saved_at = now
            if request.POST.get("act") == "submit":
                campaigns.submit_campaign(campaign=campaign, user=request.user, now=now)
                return _done(request, campaign)
        except Stale as refused:
            campaign = Campaign.objects.select_related("connection", "template_version__template").get(pk=campaign.pk)
            conflict = differences(campaign, form)
            form.add_error(None, str(refused.words))
        except Refused as refused:
            form.add_error(None, str(refused.words))
    return _answer(request, campaign, form, conflict, saved_at)


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
) -> HttpResponse:
    if saved_at and not request.htmx and not form.errors:
        messages.success(request, _("Saved."))
        return redirect("campaign_detail", campaign.public_id)
    context = page(request, campaign, form) | {"conflict": conflict, "saved_at": saved_at, "oob": bool(request.htmx)}
    if request.htmx:
        return render(request, "messaging/_campaign_saved.html", context)
    return render(request, "messaging/campaign_draft.html", context, status=409 if conflict is not None else 422)


def page(request: StaffRequest, campaign: Campaign, form: CampaignForm) -> dict[str, Any]:
    """Everything that the page shows of the draft as it is saved; the form may hold something newer."""
    now = db_now()
    at = planning.plan_time(campaign, now)
    counted = forecast(campaign, now)
    audience, counts = counted.audience, counted.counts
    findings = text_notes(campaign)
    problems = campaigns.problems(campaign)
    query = _query(request)
    k = number(request.POST.get("k") or query.get("k")) or 1
    lane, reason, after = query.get("lane", ""), query.get("reason", ""), number(query.get("after"))
    return {
        "campaign": campaign,
        "form": form,
        "editable": request.user.has_perm("messaging.change_campaign"),
        "version": campaign.version,
        "conflict": None,
        "saved_at": None,
        **lists(form),
        "audience": audience,
        "removed": removed_words(audience),
        "groups": lane_groups(counts),
        "leaving": to_leave(counts),
        "findings": findings,
        "keys": ["name", "msisdn", *ContactField.objects.values_list("key", flat=True)],
        "problems": problems,
        "anchors": anchors(campaign, audience, counts, findings, problems, now),
        "preview": preview(campaign, at, audience.audience, k),
        "at": at,
        "counted_at": counted.counted_at,
        "now": now,
        "story": story(campaign),
        **plan_table(campaign, at, counts, lane=lane, reason=reason, after=after),
    }


def lists(form: CampaignForm) -> dict[str, Any]:
    """All lists, those that the draft names first, and which they are."""
    chosen = {
        name: {int(pk) for pk in form[name].value() or () if str(pk).isdigit()} for name in ("include", "exclude")
    }
    found = ContactList.objects.with_people().order_by("name")
    return {"lists": sorted(found, key=lambda one: one.pk not in chosen["include"] | chosen["exclude"]), **chosen}


def _query(request: StaffRequest) -> QueryDict:
    """What the address bar asks for; a saving by htmx goes to another URL than the page's."""
    if not request.htmx:
        return request.GET
    return QueryDict(urlsplit(request.htmx.current_url or "").query)


def text_notes(campaign: Campaign) -> dict[str, list[Finding]]:
    """What there is to say about each text."""
    keys = set(ContactField.objects.values_list("key", flat=True))
    return {
        "session": text_findings(campaign.session_text, keys=keys),
        "sms": text_findings(campaign.sms_text, keys=keys) + sms_findings(campaign.sms_text),
    }


def preview(campaign: Campaign, at: datetime, total: int, k: int) -> Preview:
    """What the k-th person would get, counted from 1 in the order of the plan."""
    k = min(max(k, 1), max(total, 1))
    contact = draft_plan.person_at(campaign, k) if total else None
    return Preview(k, total, planning.preview(campaign=campaign, contact=contact, at=at) if contact else None)


def preview_part(request: StaffRequest, campaign: Campaign) -> HttpResponse:
    """The phone alone, for person `k` or the first one that `show` names."""
    now = db_now()
    at, counted = planning.plan_time(campaign, now), forecast(campaign, now)
    total = counted.audience.audience
    show = request.GET.get("show", "")
    k = preview_position(campaign, at, counted, show) if show else number(request.GET.get("k")) or 1
    if not request.htmx:
        return redirect(f"{reverse('campaign_detail', args=[campaign.public_id])}?k={k}#message")
    context = {"campaign": campaign, "preview": preview(campaign, at, total, k)}
    return render(request, "messaging/_campaign_preview.html", context)


def preview_position(campaign: Campaign, at: datetime, counted: Forecast, wanted: str) -> int:
    """Where a chip jumps to: a random person, or the first of a lane; 1 if there is none."""
    if wanted == "random":
        return random.randint(1, max(counted.audience.audience, 1))  # noqa: S311 - which example is no secret
    there = any(one.lane == wanted for one in counted.counts)
    found = draft_plan.people(campaign, at, lane=wanted, limit=1) if there else []
    return draft_plan.position_of(campaign, found[0].contact.pk) if found else 1


def plan_table(
    campaign: Campaign, at: datetime, counts: list[LaneCount], *, lane: str = "", reason: str = "", after: int = 0
) -> dict[str, Any]:
    """One page of the plan, and where the next begins. Who has no such lane or reason is not looked for."""
    lane = lane if lane in list(Lane) else ""
    there = any(lane in ("", one.lane) and reason in ("", one.reason) for one in counts)
    limit = PLAN_ROWS + 1
    rows = draft_plan.people(campaign, at, lane=lane, reason=reason, after=after, limit=limit) if there else []
    shown = rows[:PLAN_ROWS]
    return {
        "plan_rows": shown,
        "plan_lane": lane,
        "plan_reason": reason,
        "plan_after": after,
        "plan_next": shown[-1].contact.pk if len(rows) > PLAN_ROWS else None,
    }


def differences(campaign: Campaign, form: CampaignForm) -> list[Difference]:
    """What stands otherwise in the database than in this form."""
    theirs = CampaignForm(campaign=campaign)
    found = []
    for name in COMPARED:
        stored, typed = theirs[name].initial, form.cleaned_data.get(name)
        typed = getattr(typed, "pk", typed)
        if name in ("send_at", "not_after") and typed:
            typed = typed.replace(tzinfo=None)
        if (stored or "") != (typed or ""):
            found.append(Difference(str(form[name].label), _shown(theirs, name, stored), _shown(form, name, typed)))
    return found


def _shown(form: CampaignForm, name: str, value: object) -> str:
    if value in (None, ""):
        return _("(empty)")
    field = form.fields[name]
    for key, label in getattr(field, "choices", ()):
        if str(getattr(key, "value", key)) == str(value):
            return str(label)
    return str(value)


def number(raw: str | None) -> int:
    """A whole number from a URL, 0 for anything else."""
    return int(raw) if raw and raw.isdecimal() and len(raw) < 19 else 0

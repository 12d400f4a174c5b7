"""The plan that waits: in review, approved, or scheduled. Nothing has left yet."""

from typing import Any

from django import forms
from django.http import HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from messaging import draft_plan, planning, reports
from messaging.approval.people import wrote
from messaging.clock import db_now
from messaging.models import Campaign, Message
from messaging.policy import Lane
from messaging.web.campaigns.anchors import removed_words
from messaging.web.campaigns.figures import LaneGroup, lane_groups, to_leave
from messaging.web.campaigns.page import approver_names, listed, notes, people, story
from messaging.web.frame.decorators import StaffRequest

State = Campaign.State
MANY = 1_000  # screens.md, Approve and send: above it the approver types the number


class ApproveForm(forms.Form):
    """The plan that the approver saw, and for many people its number once more."""

    plan_hash = forms.CharField(widget=forms.HiddenInput)
    count = forms.CharField(required=False)

    def __init__(self, *args: Any, leaving: int, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.leaving = leaving
        self.fields["count"].label = _("Type %s to confirm how many") % f"{leaving:,}"

    @property
    def asks_count(self) -> bool:
        return self.leaving > MANY

    def clean_count(self) -> str:
        typed = self.cleaned_data["count"].replace(",", "").replace(" ", "")
        if self.asks_count and typed != str(self.leaving):
            raise forms.ValidationError(_("This is not the number of messages: it is %s.") % f"{self.leaving:,}")
        return typed


def review(request: StaffRequest, campaign: Campaign, form: ApproveForm | None = None) -> HttpResponse:
    """The page for writer and approver alike; each sees what is theirs to do."""
    if campaign.plan_sealed_at is None:
        return render(request, "messaging/campaign_review.html", waiting(campaign) | _common(request, campaign))
    tally = reports.tally(campaign)
    groups, leaving = lane_groups(tally.planned), to_leave(tally.planned)
    audience = planning.audience_counts(campaign, people=tally.sums.audience)
    now = db_now()
    context = {
        "leaving": leaving,
        "groups": groups,
        "samples": samples(campaign, groups),
        "audience": audience,
        "removed": removed_words(audience),
        "joined": joined_since(campaign),
        "form": form or ApproveForm(initial={"plan_hash": campaign.plan_hash}, leaving=leaving),
        "starts_later": bool(campaign.send_at and campaign.send_at > now),
        "now": now,
        **_common(request, campaign),
        **people(request, campaign),
    }
    return render(request, "messaging/campaign_review.html", context, status=422 if form and form.errors else 200)


def _common(request: StaffRequest, campaign: Campaign) -> dict[str, Any]:
    lines = story(campaign)
    return {
        "campaign": campaign,
        "sealed": campaign.plan_sealed_at is not None,
        "seen": _mark(campaign),
        "own": wrote(campaign, request.user),
        "story": lines,
        "notes": notes(lines),
        "approvers": approver_names(campaign, request.user) if campaign.state == State.IN_REVIEW else "",
        **listed(campaign),
    }


def waiting(campaign: Campaign) -> dict[str, Any]:
    """How far the plan is written."""
    written = Message.objects.filter(campaign=campaign).counted().count()
    return {"written": written, "expected": planning.audience_size(campaign)}


def live(request: StaffRequest, campaign: Campaign) -> HttpResponse:
    """The plan while it is written; after that nothing, until somebody else has decided or started: the page anew."""
    seen = request.GET.get("seen", "")
    if campaign.plan_sealed_at is None and seen == "planning":
        return render(request, "messaging/_campaign_planning.html", waiting(campaign) | {"campaign": campaign})
    return HttpResponse(status=204, headers={} if seen == _mark(campaign) else {"HX-Refresh": "true"})


def _mark(campaign: Campaign) -> str:
    """Of what the page shows: it changes with what anybody does, and with a plan written anew."""
    return f"{campaign.state}-{campaign.version}"


def joined_since(campaign: Campaign) -> int:
    """People who are in the lists now but not in the plan: they get nothing."""
    return draft_plan.unplanned(campaign)


def samples(campaign: Campaign, groups: list[LaneGroup]) -> list[dict[str, Any]]:
    """For each lane that sends, what its first person gets."""
    at = planning.plan_time(campaign, db_now())
    found = []
    for group in groups:
        if not group.people or group.lane == Lane.SKIPPED:
            continue
        first = (
            campaign.messages.counted().filter(planned_lane=group.lane).order_by("contact").select_related("contact")[0]
        )
        found.append({"group": group, "row": planning.preview(campaign=campaign, contact=first.contact, at=at)})
    return found

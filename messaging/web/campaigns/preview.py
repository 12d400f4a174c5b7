"""The phone beside the composer: what one person of a draft's audience would get."""

from dataclasses import dataclass, replace
from datetime import datetime
from operator import attrgetter

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from messaging import draft_plan, planning, text
from messaging.clock import db_now
from messaging.models import Campaign
from messaging.planning import PlanRow
from messaging.policy import SENDING_LANES, Lane
from messaging.web.campaigns.forecast import Forecast, forecast
from messaging.web.campaigns.jumps import position
from messaging.web.frame.decorators import StaffRequest


@dataclass(frozen=True, slots=True)
class Preview:
    """What person `k` of `total` would get; `row` is None in an empty audience. `said`: that a jump found nobody.

    `dear`: the letters that make their SMS dearer than the campaign's own text does. `chosen`: by whoever looks.
    """

    k: int
    total: int
    row: PlanRow | None
    said: str = ""
    dear: str = ""
    chosen: bool = True

    @property
    def sms(self) -> bool:
        """Whether the phone shows an SMS; a held text is drawn for the lane that it waits for."""
        return bool(self.row and self.row.parts)

    @property
    def foot(self) -> str:
        if not self.row or not self.sms:
            return ""
        parts = ngettext("%s SMS part", "%s SMS parts", self.row.parts) % self.row.parts
        costs = _("“%s” makes each part 70 letters instead of 160.") % self.dear
        return f"{parts}: {costs}" if self.dear else parts

    @property
    def before(self) -> int:
        return self.k - 1 if self.k > 1 else self.total

    @property
    def after(self) -> int:
        return self.k + 1 if self.k < self.total else 1


def preview(campaign: Campaign, at: datetime, total: int, k: int) -> Preview:
    """What the k-th person would get, counted from 1 in the order of the plan."""
    k = min(max(k, 1), max(total, 1))
    contact = draft_plan.person_at(campaign, k) if total else None
    row = planning.preview(campaign=campaign, contact=contact, at=at) if contact else None
    return Preview(k, total, row, dear=_dear_letters(campaign, row) if row and row.parts else "")


def first_preview(campaign: Campaign, at: datetime, counted: Forecast) -> Preview:
    """What the first person gets; if that is nothing, the first of the largest group that gets something.

    One of the largest group is near the beginning; to find the only one of a rare lane may take a look at everybody.
    """
    shown = preview(campaign, at, counted.audience.audience, 1)
    reached = [one for one in counted.counts if one.lane in (*SENDING_LANES, Lane.HELD)]
    if shown.row and not shown.row.text and reached:
        most = max(reached, key=attrgetter("people"))
        found = draft_plan.people(campaign, at, lane=most.lane, reason=most.reason, limit=1)
        k = draft_plan.position_of(campaign, found[0].contact.pk) if found else 1
        shown = preview(campaign, at, counted.audience.audience, k)
    return replace(shown, chosen=False)


def _dear_letters(campaign: Campaign, row: PlanRow) -> str:
    """Letters of a person's values for which their SMS leaves the plain alphabet; none if its text does so itself."""
    if any(one.forces_ucs2 for one in text.costly_letters(campaign.sms_text)):
        return ""
    return "".join(one.letter for one in text.costly_letters(row.text) if one.forces_ucs2)


def preview_part(request: StaffRequest, campaign: Campaign) -> HttpResponse:
    """The phone alone, for person `k` or the first one that `show` names."""
    now = db_now()
    at, counted = planning.plan_time(campaign, now), forecast(campaign, now)
    total = counted.audience.audience
    show = request.GET.get("show", "")
    found = position(campaign, at, counted, show) if show else number(request.GET.get("k")) or 1
    k = found or 1
    if not request.htmx:
        return redirect(f"{reverse('campaign_detail', args=[campaign.public_id])}?k={k}#message")
    shown = preview(campaign, at, total, k)
    said = "" if found else _("Nobody is like that; this is the first person.")
    context = {"campaign": campaign, "preview": replace(shown, said=said)}
    return render(request, "messaging/_campaign_preview.html", context)


def number(raw: str | None) -> int:
    """A whole number from a URL, 0 for anything else."""
    return int(raw) if raw and raw.isdecimal() and len(raw) < 19 else 0

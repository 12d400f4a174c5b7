"""The chips beside the phone: who tries the texts of a draft most, and where they stand in its plan.

Finding them takes another look at everybody. Of many people the page shows its figures first and asks for the chips.
"""

import hashlib
import random
from dataclasses import dataclass, fields
from datetime import datetime

from django.core.cache import cache
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from messaging import draft_plan
from messaging.examples import Examples, Look, find_examples, look_for
from messaging.models import Campaign
from messaging.web.campaigns.forecast import KEPT_S, Forecast, many
from messaging.web.frame.decorators import StaffRequest

KINDS = [field.name for field in fields(Examples)]


@dataclass(frozen=True, slots=True)
class Jump:
    """A chip that shows somebody else: `show` in its URL, its words, and what they are an example of."""

    show: str
    words: str
    title: str


def jumps(campaign: Campaign, *, here: bool) -> list[Jump] | None:
    """The chips behind which there is somebody; None: they take a while to find, and not `here`."""
    look = look_for(campaign)
    there = _kept(look) or (_find(campaign, look) if here or look is None or not many(campaign) else None)
    return None if there is None else _chips(there)


def jumps_part(request: StaffRequest, campaign: Campaign) -> HttpResponse:
    """The chips alone, for a page that came without them."""
    if not request.htmx:
        return redirect(f"{reverse('campaign_detail', args=[campaign.public_id])}?count=now#message")
    context = {"campaign": campaign, "jumps": jumps(campaign, here=True)}
    return render(request, "messaging/_campaign_examples.html", context)


def position(campaign: Campaign, at: datetime, counted: Forecast, wanted: str) -> int:
    """Where a chip jumps to: a random person, one who tries the texts, or the first of a lane; 0 if there is none."""
    if wanted == "random":
        return random.randint(1, max(counted.audience.audience, 1))  # noqa: S311 - which example is no secret
    if wanted in KINDS:
        look = look_for(campaign)
        contact = getattr(_kept(look) or _find(campaign, look), wanted)
    else:
        there = any(one.lane == wanted for one in counted.counts)
        found = draft_plan.people(campaign, at, lane=wanted, limit=1) if there else []
        contact = found[0].contact.pk if found else None
    return draft_plan.position_of(campaign, contact) if contact else 0


def _chips(there: Examples) -> list[Jump]:
    found = []
    if there.longest:
        found.append(Jump("longest", _("Longest"), _("Whose values are the longest of all")))
    if there.missing:
        found.append(Jump("missing", _("A value missing"), _("Somebody without a value that a text asks for")))
    if there.chinese:
        found.append(Jump("chinese", _("Chinese"), _("Somebody whose values are written in Chinese letters")))
    if there.dearer and there.dearer != there.chinese:
        found.append(Jump("dearer", _("Dearer SMS"), _("Whose values have letters that make an SMS cost more parts")))
    return found


def _find(campaign: Campaign, look: Look | None) -> Examples:
    found = find_examples(look)
    if look and many(campaign):
        cache.set(_key(look), found, KEPT_S)
    return found


def _kept(look: Look | None) -> Examples | None:
    kept = cache.get(_key(look)) if look else None
    return kept if isinstance(kept, Examples) else None


def _key(look: Look) -> str:
    return f"examples-{hashlib.sha256(repr(look).encode()).hexdigest()}"

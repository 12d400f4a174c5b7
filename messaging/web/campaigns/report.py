"""The report of a campaign that was started, true to the second while it runs."""

import hashlib
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _

from messaging import campaigns, planning, reports
from messaging.clock import db_now
from messaging.models import Campaign, Connection, Message
from messaging.statuses import Sums
from messaging.web.campaigns.account import delivered_words, submitted_words
from messaging.web.campaigns.anchors import removed_words
from messaging.web.campaigns.failed import failure_groups
from messaging.web.campaigns.figures import (
    OUTCOME_WORDS,
    Pace,
    bars,
    changes,
    lane_groups,
    pace,
)
from messaging.web.campaigns.filters import RESPONSES, responded
from messaging.web.campaigns.page import listed, people, story
from messaging.web.frame import polling, words
from messaging.web.frame.decorators import StaffRequest

State = Campaign.State
MAY_RETRY = ("messaging.add_campaign", "contacts.add_contactlist")  # its people are a list of their own
SENDING = (State.PREPARING, State.RUNNING)
LIVE = (*SENDING, State.PAUSED)


@dataclass(frozen=True, slots=True)
class HeadLine:
    """How it stands, in words; `url` leads to what helps."""

    tone: str
    title: str
    words: str
    url: str = ""
    act: str = ""


def report(request: StaffRequest, campaign: Campaign) -> HttpResponse:
    """Figures first, then failures by what to do, differences from the plan, and everyone."""
    tally = reports.tally(campaign)
    audience = planning.audience_counts(campaign, people=tally.sums.audience)
    context = figures(request, campaign, tally) | {
        "story": story(campaign),
        "audience": audience,
        "removed": removed_words(audience),
        "planned": lane_groups(tally.planned),
        **listed(campaign),
        **people(request, campaign, OUTCOME_WORDS),
    }
    return render(request, "messaging/campaign_report.html", context)


def live(request: StaffRequest, campaign: Campaign) -> HttpResponse:
    """The figures alone; 204 while they are as the page has them."""
    seen = request.GET.get("seen", "")
    if seen.partition("-")[0] != campaign.state:
        return HttpResponse(status=204, headers={"HX-Refresh": "true"})
    tally = reports.tally(campaign)
    if seen == moving(campaign, tally)["seen"]:
        return HttpResponse(status=204)
    response = render(request, "messaging/_campaign_live.html", figures(request, campaign, tally))
    response["HX-Trigger"] = "campaign-changed"
    return response


def figures(request: StaffRequest, campaign: Campaign, tally: reports.Tally) -> dict[str, Any]:
    """Everything on the page that changes while it runs."""
    return moving(campaign, tally) | {
        "failures": failure_groups(campaign),
        "tries": tries(campaign),
        "may_retry": request.user.has_perms(MAY_RETRY),
        "changes": changes(tally),
        "incidents": list(campaign.incidents.filter(closed_at=None)),
    }


def tries(campaign: Campaign) -> list[tuple[Campaign, str]]:
    """The other campaigns with the same message, each with what became of it; nothing before its launch."""
    others = campaigns.other_tries(campaign)
    sums = reports.sums_of(others)
    return [(one, delivered_words(sums[one.pk]) if one.launched_at else "") for one in others]


def moving(campaign: Campaign, tally: reports.Tally) -> dict[str, Any]:
    """The part of it that tells whether anything is new: `seen` is its mark."""
    now, sums = db_now(), tally.sums
    speed = pace(campaign, sums, now)
    line = head_line(campaign, sums, speed)
    answered = {then: campaign.messages.counted().filter(responded(then, campaign)).count() for then in RESPONSES}
    every = polling.campaign_asks(campaign, sums, now)
    shown = f"{sums}{line}{campaign.connection.state}{answered}{every}"
    return {
        "campaign": campaign,
        "sums": sums,
        "line": line,
        "bars": bars(sums, reverse("campaign_detail", args=[campaign.public_id])),
        "answered": answered,
        "asks_again": campaign.state in LIVE or bool(sums.waiting or sums.in_flight or sums.held or sums.to_send),
        "every": every,
        "seen": f"{campaign.state}-{hashlib.sha256(shown.encode()).hexdigest()[:12]}",
    }


def head_line(campaign: Campaign, sums: Sums, speed: Pace | None) -> HeadLine:
    """One sentence on how it stands."""
    if campaign.state in SENDING and campaign.connection.state != Connection.State.OK:
        return _stopped(campaign.connection, sums)
    if campaign.state == State.PREPARING:
        return _preparing(campaign, sums)
    if campaign.state == State.RUNNING:
        return _running(sums, speed)
    return {State.PAUSED: _paused, State.CANCELLED: _cancelled}.get(State(campaign.state), _finished)(sums)


def _stopped(connection: Connection, sums: Sums) -> HeadLine:
    return HeadLine(
        "bad",
        _("Nothing leaves just now"),
        _(
            "The connection “%(name)s” has been stopped since %(since)s: %(why)s. "
            "Not sent yet: %(left)s. Nothing is lost."
        )
        % {
            "name": connection.name,
            "since": words.moment(connection.state_since),
            "why": connection.get_state_display().lower(),
            "left": words.messages(_unsent(sums)),
        },
        reverse("connection_detail", args=[connection.public_id]),
        _("Look at the connection"),
    )


def _preparing(campaign: Campaign, sums: Sums) -> HeadLine:
    planned = Message.objects.filter(campaign=campaign, send_state="planned").counted().count()
    return HeadLine(
        "info",
        _("Starting"),
        _("Each person is looked at again: %(done)s of %(all)s so far.")
        % {"done": f"{sums.audience - planned:,}", "all": f"{sums.audience:,}"},
    )


def _running(sums: Sums, speed: Pace | None) -> HeadLine:
    pace = [_("%s a second") % speed.shown] if speed else []
    if speed and speed.ends_at:
        pace.append(_("ends about %s") % words.clock(speed.ends_at))
    told = f" {' · '.join(pace)}." if pace else ""
    return HeadLine("bad" if sums.stuck else "info", _("Running"), submitted_words(sums) + told)


def _paused(sums: Sums) -> HeadLine:
    wait = " " + _("What has not left yet waits until somebody resumes it.") if _unsent(sums) else ""
    return HeadLine("wait", _("Paused"), submitted_words(sums) + wait)


def _cancelled(sums: Sums) -> HeadLine:
    stopping = " " + _("What has not left yet is being taken back.") if _unsent(sums) else ""
    return HeadLine("quiet", _("Cancelled"), submitted_words(sums) + stopping)


def _finished(sums: Sums) -> HeadLine:
    tone = "bad" if sums.stuck else "unsure" if sums.unknown else "ok"
    return HeadLine(tone, _("Finished"), delivered_words(sums))


def _unsent(sums: Sums) -> int:
    return sums.to_send + sums.in_flight + sums.held

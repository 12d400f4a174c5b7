"""What a person does to a campaign: each asks first, calls one service, and says how it went."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods, require_POST

from messaging import approval, campaigns, nudges, reports
from messaging.clock import db_now
from messaging.failures import RETRYABLE, ToDo
from messaging.models import Campaign
from messaging.web.campaigns import report, review
from messaging.web.campaigns.figures import to_leave
from messaging.web.campaigns.forms import NoteForm, ReasonForm
from messaging.web.campaigns.page import BEFORE_START, find
from messaging.web.frame import words
from messaging.web.frame.answers import ask, attempt, attempt_form, go, posted
from messaging.web.frame.decorators import StaffRequest, staff_required
from messaging.web.frame.parts import Sheet, Words

DAY_BEGINS, DAY_ENDS = 8, 21  # o'clock; a message outside them wakes people
Said = Promise | Callable[[Campaign], str]


@dataclass(frozen=True, slots=True)
class Act:
    """One button: the service behind it, who may press it, and its words."""

    service: Callable[..., Campaign]
    right: str
    title: Said
    button: Said
    done: Said
    words: Said
    danger: bool = False


def _is_for_later(campaign: Campaign) -> bool:
    return bool(campaign.send_at and campaign.send_at > db_now())


def _launch_title(campaign: Campaign) -> str:
    return _now("Schedule it?") if _is_for_later(campaign) else _now("Start sending now?")


def _launch_button(campaign: Campaign) -> str:
    """The same words as on the page's own button."""
    leaving = words.messages(to_leave(reports.tally(campaign).planned))
    return (_now("Schedule %s") if _is_for_later(campaign) else _now("Start sending %s")) % leaving


def _launched(campaign: Campaign) -> str:
    return _now("Scheduled.") if _is_for_later(campaign) else _now("Started.")


def _launch_words(campaign: Campaign) -> str:
    leaving = words.messages(to_leave(reports.tally(campaign).planned))
    if campaign.send_at and _is_for_later(campaign):
        at = words.moment_in(campaign.send_at, campaign.time_zone)
        return _now("%(messages)s will begin to leave on %(at)s. Until then you can take it back.") % {
            "messages": leaving,
            "at": at,
        }
    told = _now("%s will begin to leave now. What has left cannot be called back.") % leaving
    return " ".join([told, *_late_hour(campaign)])


def _late_hour(campaign: Campaign) -> list[str]:
    """What somebody who starts a campaign at night should hear, unless it has quiet hours for that."""
    here = db_now().astimezone(ZoneInfo(campaign.time_zone))
    if campaign.quiet_from or DAY_BEGINS <= here.hour < DAY_ENDS:
        return []
    told = _now("It is %(at)s in %(zone)s, and the campaign has no quiet hours.")
    return [told % {"at": f"{here:%H:%M}", "zone": campaign.time_zone}]


def _resume_words(campaign: Campaign) -> str:
    sums = reports.sums(campaign)
    return _now("%s still to go. Nobody gets it twice.") % words.messages(sums.to_send + sums.held)


def _cancel_title(campaign: Campaign) -> str:
    return _now("Cancel “%s” for good?") % campaign.name


def _cancel_words(campaign: Campaign) -> str:
    tally = reports.tally(campaign)
    sums, told = tally.sums, []
    left = to_leave(tally.planned) if campaign.state in BEFORE_START else sums.to_send + sums.held
    if left:
        told.append(_now("%s will not be sent.") % words.messages(left))
    if gone := sums.submitted + sums.in_flight:
        told.append(_now("%s already with the provider cannot be called back.") % words.messages(gone))
    told.append(_now("A cancelled campaign cannot be started again, nor edited; it can be copied."))
    return " ".join(told)


LAUNCH = "messaging.launch_campaign"
ACTS = {
    "withdraw": Act(
        campaigns.withdraw_campaign, "messaging.change_campaign", _("Take it back and edit?"),
        _("Take it back and edit"), _("It is a draft again."),
        _("It becomes a draft again. Its flight plan and any approval are void; nothing was sent."),
    ),
    "launch": Act(
        campaigns.launch_campaign, LAUNCH, _launch_title,
        _launch_button, _launched, _launch_words,
    ),
    "pause": Act(
        campaigns.pause_campaign, LAUNCH, _("Pause this campaign?"),
        _("Pause"), _("Paused."),
        _("Nothing more leaves until somebody resumes it. What is at the provider already goes on."),
    ),
    "resume": Act(
        campaigns.resume_campaign, LAUNCH, _("Go on with this campaign?"),
        _("Resume"), _("It goes on."), _resume_words,
    ),
    "cancel": Act(
        campaigns.cancel_campaign, LAUNCH, _cancel_title,
        _("Cancel for good"), _("Cancelled."), _cancel_words, danger=True,
    ),
}  # fmt: skip


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required("messaging.view_campaign")
def campaign_act(request: StaffRequest, public_id: str, act: str) -> HttpResponse:
    """GET asks, POST does it."""
    if act not in ACTS:
        raise Http404
    return staff_required(ACTS[act].right)(_act)(request, find(public_id), ACTS[act])


def _act(request: StaffRequest, campaign: Campaign, act: Act) -> HttpResponse:
    home = reverse("campaign_detail", args=[campaign.public_id])
    if request.method != "POST":
        title, button, told = (_say(said, campaign) for said in (act.title, act.button, act.words))
        return ask(request, Sheet(title, button, request.path, home, told, danger=act.danger))
    done = attempt(
        request, act.service, done=_say(act.done, campaign), campaign=campaign, user=request.user, now=db_now()
    )
    if done:
        nudges.tick()
        nudges.drain(campaign.connection_id)
    return go(request, home)


def _say(said: Said, campaign: Campaign) -> Words:
    return said(campaign) if callable(said) else said


@require_POST
@staff_required("messaging.approve_campaign")
def campaign_approve(request: StaffRequest, public_id: str) -> HttpResponse:
    """Approve the plan whose hash the page showed."""
    campaign = find(public_id)
    form = review.ApproveForm(request.POST, leaving=to_leave(reports.tally(campaign).planned))
    if campaign.state == Campaign.State.IN_REVIEW and not form.is_valid():
        return review.review(request, campaign, form)
    plan_hash = request.POST.get("plan_hash", "")
    arguments = {"campaign": campaign, "user": request.user, "plan_hash": plan_hash, "now": db_now()}
    attempt(request, approval.approve_campaign, done=_now("Approved. It can be started now."), **arguments)
    return go(request, reverse("campaign_detail", args=[public_id]))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required("messaging.approve_campaign")
def campaign_return(request: StaffRequest, public_id: str) -> HttpResponse:
    """Send it back to its writers, with a reason."""
    campaign = find(public_id)
    home = reverse("campaign_detail", args=[public_id])
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        arguments: dict[str, Any] = {"campaign": campaign, "user": request.user, "now": db_now()}
        if attempt_form(form, approval.return_campaign, reason=form.cleaned_data["reason"], **arguments):
            messages.success(request, _now("Returned to its writers."))
            return go(request, home)
    title = _now("Return “%s” to its writers?") % campaign.name
    told = _now("It becomes a draft again, and its writers read what you say here.")
    return ask(request, Sheet(title, _now("Return to its writers"), request.path, home, told, form=form))


@require_http_methods(["GET", "HEAD", "POST"])
@staff_required("messaging.change_campaign")
def campaign_note(request: StaffRequest, public_id: str) -> HttpResponse:
    """Another word to whoever approves it, while it waits for them."""
    campaign = find(public_id)
    home = reverse("campaign_detail", args=[public_id])
    form = NoteForm(posted(request))
    if form.is_bound and form.is_valid():
        arguments: dict[str, Any] = {"campaign": campaign, "user": request.user, "now": db_now()}
        if attempt_form(form, campaigns.add_note, note=form.cleaned_data["note"], **arguments):
            messages.success(request, _now("They read it above their decision."))
            return go(request, home)
    return ask(request, Sheet(_now("Add a word for the approver"), _now("Add it"), request.path, home, form=form))


@require_POST
@staff_required("messaging.add_campaign")
def campaign_clone(request: StaffRequest, public_id: str) -> HttpResponse:
    """A new draft like it, opened at once."""
    clone = campaigns.clone_campaign(campaign=find(public_id), user=request.user, now=db_now())
    messages.success(request, _now("This is a new draft with the same texts and lists. It has no send time yet."))
    return go(request, reverse("campaign_detail", args=[clone.public_id]))


@require_POST
@staff_required(*report.MAY_RETRY)
def campaign_retry(request: StaffRequest, public_id: str) -> HttpResponse:
    """A draft for those of one group of failures, opened at once; back to the report if nobody is left."""
    campaign, to_do = find(public_id), request.POST.get("to_do", "")
    if to_do not in RETRYABLE:
        raise Http404
    retry = attempt(
        request, campaigns.retry_campaign, campaign=campaign, to_do=ToDo(to_do), user=request.user, now=db_now(),
        done=_now("This is a draft for those whom it did not reach. Nothing leaves before it is approved."),
    )  # fmt: skip
    return go(request, reverse("campaign_detail", args=[retry.public_id if retry else public_id]))

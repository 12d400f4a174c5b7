"""What the pages of one campaign share: finding it, its people's table, its history."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from messaging import approval
from messaging.audit import history
from messaging.clock import db_now
from messaging.facts import prepare
from messaging.failures import ToDo
from messaging.models import AuditEvent, Campaign, Message
from messaging.planning import parts_if_sms
from messaging.policy import SENDING_LANES, Lane
from messaging.staff import staff_name
from messaging.web.campaigns.failed import TO_DO_WORDS
from messaging.web.campaigns.figures import OUTCOME_WORDS
from messaging.web.campaigns.filters import PeopleFilter
from messaging.web.frame import words
from messaging.web.frame.paging import paginate
from messaging.web.frame.parts import Choice, Search

State = Campaign.State
BEFORE_START = (State.IN_REVIEW, State.APPROVED, State.SCHEDULED)
PEOPLE = 25
APPROVERS_NAMED = 3
MAKING = ("campaign.created", "campaign.cloned", "campaign.retried")
SAVING = "campaign.edited"
ASKING = "campaign.submitted"
NOTING = "campaign.noted"
RETURNING = "campaign.returned"


def find(public_id: str) -> Campaign:
    """The campaign with everything that its pages name, or 404."""
    loaded = Campaign.objects.select_related(
        "connection", "retry_of", "template_version__template", "submitted_by", "approved_by", "launched_by"
    )
    return get_object_or_404(loaded, public_id=public_id)


@dataclass(frozen=True, slots=True)
class PersonLine:
    """One person in a campaign's table."""

    message: Message
    lane: str  # the actual one, or the planned one while nothing was decided yet
    reason: str
    text: str = ""  # rendered, before the start only
    parts: int = 0  # of the SMS; 0 for what goes by WhatsApp

    @property
    def lane_words(self) -> str:
        return words.lane_words(self.lane)

    @property
    def reason_words(self) -> str:
        return words.reason_words(self.reason) if self.reason else ""

    @property
    def planned_otherwise(self) -> str:
        """The planned lane, if another one was taken."""
        planned, actual = self.message.planned_lane, self.message.lane
        return words.lane_words(planned) if planned and actual and planned != actual else ""

    @property
    def last_at(self) -> datetime:
        return self.message.final_at or self.message.accepted_at or self.message.timeline_at


def people(request: HttpRequest, campaign: Campaign, outcomes: Iterable[str] = ()) -> dict[str, Any]:
    """The table of a campaign's people as its URL asks for them."""
    chosen = PeopleFilter.read(request.GET)
    rows = campaign.messages.counted().select_related("contact")
    page = paginate(chosen.apply(rows, campaign), request, "contact_id", size=PEOPLE)  # as message_once_per_campaign
    page.rows[:] = lines(campaign, page.rows)
    return {"page": page, "chosen": chosen, "filters": filters(chosen, outcomes), "chips": chips(chosen)}


def lines(campaign: Campaign, rows: list[Message]) -> list[PersonLine]:
    """Before the start each with the text that the person would get."""
    if campaign.state not in BEFORE_START:
        return [_line_of_started(row) for row in rows]
    for row in rows:
        row.campaign = campaign
    prepared = prepare(rows, connection=campaign.connection, now=db_now(), queued=False)
    found = []
    for row, one in zip(rows, prepared, strict=True):
        lane = _lane_of_text(row, one.texts if one else {})
        text = one.texts.get(lane, "") if one and lane else ""
        parts = parts_if_sms(lane, text, row.contact.msisdn)
        found.append(PersonLine(row, row.planned_lane, row.planned_reason, text, parts))
    return found


def _line_of_started(row: Message) -> PersonLine:
    reason = row.reason or ("" if row.lane else row.planned_reason)
    parts = row.parts or 0 if row.lane == Lane.SMS else 0
    return PersonLine(row, row.lane or row.planned_lane, reason, parts=parts)


def _lane_of_text(row: Message, texts: Mapping[Lane, str]) -> Lane | None:
    if row.planned_lane in SENDING_LANES:
        return Lane(row.planned_lane)
    return next(iter(texts), None) if row.planned_lane == Lane.HELD else None


def filters(chosen: PeopleFilter, outcomes: Iterable[str]) -> list[Search | Choice]:
    """The bar above the table; `outcomes` are those that the campaign can have by now."""
    outcomes = list(outcomes)
    lanes = [*SENDING_LANES] if outcomes else [*SENDING_LANES, Lane.HELD, Lane.SKIPPED]
    bar: list[Search | Choice] = [Search("q", _("Name or number"), chosen.search, _("Aminah, 012-324…"))]
    if outcomes:
        options = [(key, str(OUTCOME_WORDS[key]).capitalize()) for key in outcomes]
        bar.append(Choice("outcome", _("Outcome"), chosen.outcome, [("", _("All")), *options]))
    options = [(lane.value, words.lane_words(lane)) for lane in lanes]
    return [*bar, Choice("lane", _("Way of sending"), chosen.lane, [("", _("All")), *options])]


@dataclass(frozen=True, slots=True)
class FilterChip:
    """A filter that no box shows, with the query that drops it."""

    words: str
    without: str


def chips(chosen: PeopleFilter) -> list[FilterChip]:
    found = []
    if chosen.reason:
        found.append(FilterChip(words.reason_short(chosen.reason), chosen.query(reason="")))
    if chosen.code:
        found.append(FilterChip(_("code %s") % chosen.code, chosen.query(code="")))
    if chosen.to_do:
        found.append(FilterChip(str(TO_DO_WORDS[ToDo(chosen.to_do)]), chosen.query(to_do="")))
    if chosen.then:
        told = {"wrote": _("wrote afterwards"), "opted_out": _("opted out afterwards")}
        found.append(FilterChip(told[chosen.then], chosen.query(then="")))
    if chosen.changed:
        found.append(FilterChip(_("otherwise than planned"), chosen.query(changed="")))
    return found


def approver_names(campaign: Campaign, user: User) -> str:
    """Who could approve it if this user submitted it: "Farid or Mei Ling"; nothing if there is nobody."""
    return either(staff_name(one) for one in approval.approvers(campaign, besides=user))


def either(names: Iterable[str]) -> str:
    """ "A", "A or B", "A, B, C or 2 others"; nothing for none."""
    named = list(names)
    if len(named) > APPROVERS_NAMED + 1:
        more = len(named) - APPROVERS_NAMED
        named = [*named[:APPROVERS_NAMED], ngettext("%s other", "%s others", more) % more]
    *first, last = named or [""]
    return _("%(first)s or %(last)s") % {"first": ", ".join(first), "last": last} if first else last


def listed(campaign: Campaign) -> dict[str, Any]:
    """The lists that make its audience, and whether any is left out."""
    rows = list(campaign.audience.select_related("contact_list").order_by("contact_list__name"))
    return {"lists": rows, "left_out": any(row.excluded for row in rows)}


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """Who did what; repeated changes of a draft by one person are one line."""

    at: datetime
    who: str
    act: str
    reason: str
    times: int

    @property
    def did(self) -> str:
        return words.act_words(self.act)


def story(campaign: Campaign) -> list[HistoryLine]:
    """Everything done to the campaign, newest first."""
    found = [_line(list(events)) for _key, events in groupby(history(campaign), _who_did)]
    first = found[:2]
    if len(first) == 2 and first[0].act in MAKING and first[1].act == SAVING and first[0].who == first[1].who:
        found[:2] = first[:1]  # who goes on with their own new draft makes it
    return found[::-1]


def notes(lines: Iterable[HistoryLine]) -> list[HistoryLine]:
    """What its writers said to whoever approves it since they asked last, in the order of time."""
    found = []
    for line in lines:
        if line.act in (ASKING, NOTING) and line.reason:
            found.append(line)
        if line.act == ASKING:
            break
    return found[::-1]


def returned(told: Iterable[HistoryLine]) -> HistoryLine | None:
    """The return that a draft's writers have to answer, also while they edit; None once they asked again."""
    last = next((line for line in told if line.act != SAVING), None)
    return last if last and last.act == RETURNING else None


def _who_did(event: AuditEvent) -> tuple[int | None, str, object]:
    """Only savings of a draft fold into one line."""
    return event.actor_id, event.act, None if event.act == SAVING else event.pk


def _line(events: list[AuditEvent]) -> HistoryLine:
    last = events[-1]
    reason = last.detail.get("reason") or last.detail.get("note") or ""
    return HistoryLine(last.at, staff_name(last.actor) or _("Switchboard"), last.act, reason, len(events))

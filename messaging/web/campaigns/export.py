"""A campaign's people as a CSV file for any spreadsheet: streamed, as filtered, and running no formula in it."""

import csv
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from io import StringIO
from itertools import chain
from zoneinfo import ZoneInfo

from django.http import StreamingHttpResponse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from contacts.imports.cells import guard
from messaging import draft_plan, planning
from messaging.audit import audit
from messaging.clock import db_now
from messaging.models import Campaign, Message, RequestRecipient
from messaging.planning import PlanRow
from messaging.web.campaigns.filters import PeopleFilter
from messaging.web.campaigns.page import BEFORE_START, PersonLine, lines
from messaging.web.campaigns.page import find as find_campaign
from messaging.web.frame import words
from messaging.web.frame.decorators import StaffRequest, staff_required

CHUNK = 2_000  # people read at once
BOM = "\ufeff"  # without it Excel takes UTF-8 for something else

Cells = list[str]


@require_POST
@staff_required("messaging.view_campaign", "messaging.export_campaign")
def campaign_export(request: StaffRequest, public_id: str) -> StreamingHttpResponse:
    """The people whom the URL's filter asks for: the plan until the campaign starts, what happened afterwards."""
    campaign, chosen, now = find_campaign(public_id), PeopleFilter.read(request.GET), db_now()
    filters = chosen.query(q="")  # what was searched may be a number: the audit keeps none
    audit(actor=request.user, act="campaign.exported", subject=campaign, now=now, filters=filters)
    file = StreamingHttpResponse(written(_rows(campaign, chosen, now)), content_type="text/csv; charset=utf-8")
    file["Content-Disposition"] = f'attachment; filename="{slugify(campaign.name) or "campaign"}.csv"'
    return file


def written(rows: Iterable[Cells]) -> Iterator[str]:
    """The lines of the file (RFC 4180), each cell quoted against formulas."""
    yield BOM
    line = StringIO()
    writer = csv.writer(line)
    for row in rows:
        writer.writerow([guard(cell) for cell in row])
        yield line.getvalue()
        line.seek(0)
        line.truncate()


def _rows(campaign: Campaign, chosen: PeopleFilter, now: datetime) -> Iterator[Cells]:
    if campaign.state == Campaign.State.DRAFT:
        return chain([_plan_titles()], _drafted(campaign, chosen, planning.plan_time(campaign, now)))
    if campaign.state in BEFORE_START:
        return chain([_plan_titles()], _by_chunk(campaign, chosen, _planned))
    return chain([_titles(campaign)], _by_chunk(campaign, chosen, _happened))


def _plan_titles() -> Cells:
    return [_("Name"), _("Number"), _("Way of sending"), _("Why"), _("Text"), _("SMS parts")]


def _drafted(campaign: Campaign, chosen: PeopleFilter, at: datetime) -> Iterator[Cells]:
    """The plan of a draft, decided while it is read."""
    after = 0
    while rows := draft_plan.people(campaign, at, lane=chosen.lane, reason=chosen.reason, after=after, limit=CHUNK):
        yield from (_plan_cells(row) for row in rows)
        after = rows[-1].contact.pk


def _plan_cells(row: PlanRow) -> Cells:
    contact = row.contact
    return [
        contact.name, contact.address, words.lane_words(row.lane), words.reason_words(row.reason),
        row.text, str(row.parts or ""),
    ]  # fmt: skip


def _by_chunk(
    campaign: Campaign, chosen: PeopleFilter, told: Callable[[Campaign, list[Message]], Iterable[Cells]]
) -> Iterator[Cells]:
    """Keyset by contact, as the index message_once_per_campaign has them."""
    wanted = chosen.apply(campaign.messages.counted().select_related("contact"), campaign).order_by("contact_id")
    after = 0
    while rows := list(wanted.filter(contact_id__gt=after)[:CHUNK]):
        yield from told(campaign, rows)
        after = rows[-1].contact_id


def _planned(campaign: Campaign, rows: list[Message]) -> Iterable[Cells]:
    return (
        [*_person(line), line.lane_words, line.reason_words, line.text, str(line.parts or "")]
        for line in lines(campaign, rows)
    )


def _titles(campaign: Campaign) -> Cells:
    last = _("Last event (%s)") % campaign.time_zone
    return [
        _("Name"), _("Number"), _("Planned way"), _("Way of sending"), _("Why"), _("Outcome"), _("Error"), last,
        _("Text"), _("SMS parts"),
    ]  # fmt: skip


def _happened(campaign: Campaign, rows: list[Message]) -> Iterable[Cells]:
    zone, texts = ZoneInfo(campaign.time_zone), _sent_texts(rows)
    for line in lines(campaign, rows):
        message = line.message
        yield [
            *_person(line),
            words.lane_words(message.planned_lane),
            line.lane_words,
            line.reason_words,
            words.status_words(message.status),
            words.code_words(message) if message.error_code not in ("", "0") else "",
            f"{line.last_at.astimezone(zone):%Y-%m-%d %H:%M:%S}",
            texts.get(message.pk, ""),
            str(line.parts or ""),
        ]


def _person(line: PersonLine) -> Cells:
    contact = line.message.contact
    return [contact.name, contact.address]


def _sent_texts(rows: list[Message]) -> dict[int, str]:
    """What really left to each, by message; of several requests the last."""
    sent = RequestRecipient.objects.filter(message__in=rows).order_by("pk")
    return dict(sent.values_list("message", "request__text"))

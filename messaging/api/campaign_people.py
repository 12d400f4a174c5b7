"""A campaign's people: the flight plan before, and what became of everyone, page by page or as a stream."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiResponse
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response

from contacts.models import Contact
from messaging import draft_plan, planning, reports
from messaging.api.campaign_shapes import PlanRowShape, PlanShape, RecipientShape, recipients_of
from messaging.api.campaigns import EXPORT, VIEW, find
from messaging.api.operations import Call, operation
from messaging.api.paging import BY_PERSON, page, page_body
from messaging.api.shapes import PageQuery, page_of
from messaging.api.views import ApiView
from messaging.audit import audit
from messaging.models import Campaign, Message, Scope

CHUNK = 1_000
ND_JSON = "application/x-ndjson"


class Plan(ApiView):
    @operation("The flight plan", scope=Scope.CAMPAIGNS, right=VIEW, query=PageQuery, answers={200: PlanShape})
    def get(self, call: Call, campaign_id: Any) -> Response:
        campaign = find(call, campaign_id)
        counted, at = planning.audience_counts(campaign), planning.plan_time(campaign, call.now)
        written = campaign.plan_sealed_at is not None
        counts = reports.tally(campaign).planned if written else planning.forecast(campaign=campaign, at=at)
        sums = {"listed": counted.listed, "removed": counted.removed, "audience": counted.audience}
        rows = _written(campaign, call) if written else _draft(campaign, call)
        lanes = [asdict(count) for count in counts]
        return Response({"plan_hash": campaign.plan_hash, **sums, "counts": lanes, **rows})


def _draft(campaign: Campaign, call: Call) -> dict[str, Any]:
    """Decided now, for the lists as they are."""
    limit, cursor = call.query["limit"], call.query.get("cursor")
    after = get_object_or_404(Contact, public_id=cursor).pk if cursor else 0
    found = draft_plan.people(campaign, planning.plan_time(campaign, call.now), after=after, limit=limit + 1)
    shown = found[:limit]
    following = str(shown[-1].contact.public_id) if len(found) > limit else None
    return {"results": PlanRowShape(shown, many=True).data, "next": following}


def _written(campaign: Campaign, call: Call) -> dict[str, Any]:
    """As planned, with the text as it would be now."""

    def tell(messages: Sequence[Message]) -> Iterator[dict[str, Any]]:
        at = planning.plan_time(campaign, call.now)
        lines = planning.plan_rows(campaign, [message.contact for message in messages], at)
        for message, line in zip(messages, lines, strict=True):
            planned = {"lane": message.planned_lane, "reason": message.planned_reason}
            yield dict(PlanRowShape(line).data) | planned

    return page_body(recipients_of(campaign), call, tell, BY_PERSON)


class Recipients(ApiView):
    @operation(
        "Everyone, page by page",
        scope=Scope.CAMPAIGNS,
        right=EXPORT,
        query=PageQuery,
        answers={200: page_of(RecipientShape)},
    )
    def get(self, call: Call, campaign_id: Any) -> Response:
        return page(recipients_of(find(call, campaign_id)), call, RecipientShape, BY_PERSON)


class NdJson(JSONRenderer):
    media_type = ND_JSON
    format = "ndjson"


class RecipientStream(ApiView):
    renderer_classes = (NdJson, JSONRenderer)

    @operation(
        "Everyone, as one stream",
        scope=Scope.CAMPAIGNS,
        right=EXPORT,
        answers={(200, ND_JSON): OpenApiResponse({"type": "string"}, "A line for each person, shaped as in the list")},
    )
    def get(self, call: Call, campaign_id: Any) -> StreamingHttpResponse:
        campaign = find(call, campaign_id)
        audit(actor=call.user, act="campaign.exported", subject=campaign, now=call.now, client=call.client.name)
        return StreamingHttpResponse(_lines(campaign), content_type=ND_JSON)


def _lines(campaign: Campaign) -> Iterator[bytes]:
    """Chunk by chunk, each its own short query: a slow reader holds up nobody."""
    rows, last = recipients_of(campaign).order_by("contact_id"), 0
    while chunk := list(rows.filter(contact_id__gt=last)[:CHUNK]):
        for told in RecipientShape(chunk, many=True).data:
            yield json.dumps(told, default=str).encode() + b"\n"
        last = chunk[-1].contact_id

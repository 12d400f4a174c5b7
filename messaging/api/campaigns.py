"""Campaigns as other systems write, submit and run them. Approving one takes a person, on the screens."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import time
from typing import Any
from uuid import UUID

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext_lazy as _
from rest_framework.response import Response

from contacts.models import ContactList
from messaging import campaigns, nudges
from messaging.api import visible
from messaging.api.campaign_shapes import (
    CampaignChange,
    CampaignDetailShape,
    CampaignShape,
    NewCampaign,
    Submission,
)
from messaging.api.fields import BadValue
from messaging.api.operations import Call, operation
from messaging.api.paging import page
from messaging.api.shapes import PageQuery, Shape, page_of
from messaging.api.views import ApiView
from messaging.models import Campaign, Scope

VIEW, EXPORT = "messaging.view_campaign", "messaging.export_campaign"
ADD, CHANGE, LAUNCH = "messaging.add_campaign", "messaging.change_campaign", "messaging.launch_campaign"


def find(call: Call, campaign_id: Any) -> Campaign:
    mine = visible.campaigns(call.client).prefetch_related("audience__contact_list")
    return get_object_or_404(mine, public_id=campaign_id)


def told(call: Call, campaign: Campaign, status: int = 200) -> Response:
    return Response(CampaignDetailShape(find(call, campaign.public_id)).data, status=status)


class Campaigns(ApiView):
    @operation(
        "All campaigns", scope=Scope.CAMPAIGNS, right=VIEW, query=PageQuery, answers={200: page_of(CampaignShape)}
    )
    def get(self, call: Call) -> Response:
        mine = visible.campaigns(call.client).prefetch_related("audience__contact_list")
        return page(mine, call, CampaignShape)

    @operation(
        "Write a campaign",
        scope=Scope.CAMPAIGNS,
        right=ADD,
        body=NewCampaign,
        answers={201: CampaignDetailShape},
        once=True,
        description="A draft of the client's owner, who therefore cannot approve it.",
    )
    @transaction.atomic
    def post(self, call: Call) -> Response:
        fields, audience = _fields(call.body), _audience(call.body)
        connection = visible.connection_of(call.client, fields.pop("connection", None))
        campaign = campaigns.create_campaign(user=call.user, now=call.now, connection=connection, **fields)
        if audience:
            campaign = campaigns.edit_campaign(
                campaign=campaign, user=call.user, version=campaign.version, now=call.now, **audience
            )
        return told(call, campaign, 201)


class CampaignDetail(ApiView):
    @operation("One campaign, with its sums", scope=Scope.CAMPAIGNS, right=VIEW, answers={200: CampaignDetailShape})
    def get(self, call: Call, campaign_id: Any) -> Response:
        return Response(CampaignDetailShape(find(call, campaign_id)).data)

    @operation(
        "Change a draft", scope=Scope.CAMPAIGNS, right=CHANGE, body=CampaignChange, answers={200: CampaignDetailShape}
    )
    def patch(self, call: Call, campaign_id: Any) -> Response:
        campaign = find(call, campaign_id)
        fields = _fields(call.body, campaign)
        changed = campaigns.edit_campaign(
            campaign=campaign, user=call.user, now=call.now, **fields, **_audience(call.body)
        )
        return told(call, changed)


def _fields(body: dict[str, Any], campaign: Campaign | None = None) -> dict[str, Any]:
    """The campaign's own columns among what was asked for. Raises BadValue."""
    fields = {key: value for key, value in body.items() if key not in ("lists", "exclude", "template")}
    if "template" in body:
        fields["template_version"] = visible.version_of(body["template"]) if body["template"] else None
    for key in ("quiet_from", "quiet_to"):
        if fields.get(key):
            fields[key] = time.fromisoformat(fields[key])
    quiet = [fields.get(key, getattr(campaign, key, None)) for key in ("quiet_from", "quiet_to")]
    if (quiet[0] is None) is not (quiet[1] is None):
        raise BadValue("quiet_hours_in_pairs", _("Quiet hours need their beginning and their end."))
    if not campaigns.is_zone(fields.get("time_zone", "UTC")):
        raise BadValue("bad_time_zone", _("There is no such time zone. Write one like Asia/Kuala_Lumpur."))
    if "name" in fields and not fields["name"].strip():
        raise BadValue("bad_name", _("A campaign needs a name."))
    return fields


def _audience(body: dict[str, Any]) -> dict[str, Any]:
    named = {"include": body.get("lists"), "exclude": body.get("exclude")}
    return {key: _lists(ids) for key, ids in named.items() if ids is not None}


def _lists(ids: Iterable[UUID]) -> list[ContactList]:
    wanted = set(ids)
    found = list(ContactList.objects.filter(public_id__in=wanted))
    if len(found) < len(wanted):
        raise BadValue("unknown_list", _("Not all of these lists exist."))
    return found


def act(
    name: str,
    summary: str,
    service: Callable[..., Campaign],
    right: str,
    description: str = "",
    body: type[Shape] | None = None,
) -> type[ApiView]:
    """The path of one act: POST, without a body unless one is named; what stands in it goes to the service."""

    @operation(
        summary,
        scope=Scope.CAMPAIGNS,
        right=right,
        body=body,
        answers={200: CampaignDetailShape},
        once=True,
        description=description,
    )
    def post(_view: ApiView, call: Call, campaign_id: Any) -> Response:
        campaign = service(campaign=find(call, campaign_id), user=call.user, now=call.now, **call.body)
        nudges.tick()
        nudges.drain(campaign.connection_id)
        return told(call, campaign)

    return type(name, (ApiView,), {"post": post})


Submit = act(
    "Submit",
    "Ask for a campaign's approval",
    campaigns.submit_campaign,
    CHANGE,
    "Fixes its texts and its people, and writes the flight plan. A person who had no hand in it approves it. "
    "Say which `version` you read, and approval is not asked for what somebody else has saved since.",
    Submission,
)
Launch = act(
    "Launch",
    "Let an approved campaign go",
    campaigns.launch_campaign,
    LAUNCH,
    "Only what staff approved can be launched.",
)
Pause = act("Pause", "Pause a campaign", campaigns.pause_campaign, LAUNCH, "Nothing more leaves.")
Resume = act("Resume", "Go on with a paused campaign", campaigns.resume_campaign, LAUNCH)
Cancel = act("Cancel", "Cancel a campaign for good", campaigns.cancel_campaign, LAUNCH, "What is being sent finishes.")

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from contacts.models import Purpose
from messaging import reports
from messaging.api.fields import CLOCK, Flag, Id, Moment, Text, Whole, Word
from messaging.api.message_shapes import PURPOSES
from messaging.api.shapes import Shape
from messaging.campaigns import NOTE_LIMIT
from messaging.models import Campaign, Message
from messaging.policy import Lane
from messaging.statuses import DeliveryState, SendState, Status, Sums

MOST_LISTS = 100


class _Draft(Shape):
    session_text = Text(required=False, allow_blank=True, max_length=4096, help_text="inside the person's 24 hours")
    template = Text(required=False, allow_null=True, max_length=120, help_text="id or name")
    sms_text = Text(required=False, allow_blank=True, max_length=960)
    lists = serializers.ListField(child=Id(), required=False, max_length=MOST_LISTS, help_text="ids; who gets it")
    exclude = serializers.ListField(child=Id(), required=False, max_length=MOST_LISTS, help_text="ids; who does not")
    send_at = Moment(required=False, allow_null=True, help_text="none: at the launch")
    not_after = Moment(required=False, allow_null=True)
    until_reply = Flag(required=False, help_text="hold session texts until they write")
    quiet_from = Text(required=False, allow_null=True, pattern=CLOCK)
    quiet_to = Text(required=False, allow_null=True, pattern=CLOCK)
    time_zone = Text(required=False, max_length=64)


class NewCampaign(_Draft):
    """A text for one lane at least, and a list of people, before it can be submitted."""

    name = Text(max_length=120)
    connection = Text(required=False, max_length=80, help_text="id or name; needed if there are several")
    purpose = Word(required=False, default=Purpose.SERVICE.value, choices=[purpose.value for purpose in PURPOSES])


class CampaignChange(_Draft):
    """What is given replaces what was there. `version` is the one that you read: a newer one is refused as `stale`."""

    version = Whole(min_value=0, max_value=2**31 - 1)
    name = Text(required=False, max_length=120)
    purpose = Word(required=False, choices=[purpose.value for purpose in PURPOSES])


class Submission(Shape):
    """`version` is the one that you read: if the draft has changed since, it is refused as `stale`.

    `note` is a word to whoever approves it.
    """

    version = Whole(required=False, min_value=0, max_value=2**31 - 1)
    note = Text(required=False, allow_blank=True, max_length=NOTE_LIMIT)


class CampaignShape(serializers.Serializer):
    """One campaign."""

    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=Campaign.State.values)
    version = serializers.IntegerField()
    connection = serializers.UUIDField(source="connection.public_id")
    purpose = serializers.CharField()
    session_text = serializers.CharField(allow_blank=True)
    template = serializers.SerializerMethodField()
    sms_text = serializers.CharField(allow_blank=True)
    lists = serializers.SerializerMethodField()
    exclude = serializers.SerializerMethodField()
    send_at = serializers.DateTimeField(allow_null=True)
    not_after = serializers.DateTimeField(allow_null=True)
    until_reply = serializers.BooleanField()
    quiet_from = serializers.TimeField(allow_null=True, format="%H:%M")
    quiet_to = serializers.TimeField(allow_null=True, format="%H:%M")
    time_zone = serializers.CharField()
    plan_hash = serializers.CharField(allow_blank=True, help_text="empty until the flight plan is written")
    submitted_at = serializers.DateTimeField(allow_null=True)
    approved_at = serializers.DateTimeField(allow_null=True)
    launched_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()

    def get_template(self, campaign: Campaign) -> str | None:
        return campaign.template_version.template.name if campaign.template_version else None

    def get_lists(self, campaign: Campaign) -> list[str]:
        return _lists(campaign, excluded=False)

    def get_exclude(self, campaign: Campaign) -> list[str]:
        return _lists(campaign, excluded=True)


def _lists(campaign: Campaign, *, excluded: bool) -> list[str]:
    """Sorted here: both halves come from one prefetched set."""
    return sorted(str(one.contact_list.public_id) for one in campaign.audience.all() if one.excluded is excluded)


class SumsShape(serializers.Serializer):
    """Everyone in exactly one place. submitted = delivered + undelivered + waiting + unknown."""

    def get_fields(self) -> dict[str, Any]:
        return {name: serializers.IntegerField() for name in (*Sums.__dataclass_fields__, "submitted", "audience")}


class CampaignDetailShape(CampaignShape):
    """One campaign, and what became of its people so far."""

    sums = serializers.SerializerMethodField()

    def get_sums(self, campaign: Campaign) -> SumsShape:
        return SumsShape(reports.sums(campaign)).data  # type: ignore[return-value]


class LaneCountShape(serializers.Serializer):
    lane = serializers.ChoiceField(choices=[lane.value for lane in Lane])
    reason = serializers.CharField()
    people = serializers.IntegerField()


class PlanRowShape(serializers.Serializer):
    """What is to happen to one person, and why; `text` is what they would get."""

    contact = serializers.UUIDField(source="contact.public_id")
    to = serializers.CharField(source="contact.msisdn", allow_null=True)
    lane = serializers.ChoiceField(choices=[lane.value for lane in Lane])
    reason = serializers.CharField()
    text = serializers.CharField(allow_blank=True)
    parts = serializers.IntegerField()


class PlanShape(serializers.Serializer):
    """The flight plan: a draft's as its lists are now, else as it was written. Listed = removed + audience."""

    plan_hash = serializers.CharField(allow_blank=True)
    listed = serializers.IntegerField()
    removed = serializers.IntegerField()
    audience = serializers.IntegerField()
    counts = LaneCountShape(many=True)
    results = PlanRowShape(many=True)
    next = serializers.CharField(allow_null=True)


class RecipientShape(serializers.Serializer):
    """What was planned for one person, and what became of it."""

    id = serializers.UUIDField(source="public_id", help_text="of the message")
    contact = serializers.UUIDField(source="contact.public_id")
    to = serializers.CharField(source="contact.msisdn", allow_null=True)
    planned_lane = serializers.CharField(allow_blank=True)
    planned_reason = serializers.CharField(allow_blank=True)
    lane = serializers.CharField(allow_blank=True)
    reason = serializers.CharField(allow_blank=True)
    send_state = serializers.ChoiceField(choices=[state.value for state in SendState])
    delivery_state = serializers.ChoiceField(choices=[state.value for state in DeliveryState])
    status = serializers.ChoiceField(choices=[status.value for status in Status])
    error_code = serializers.CharField(allow_blank=True)
    parts = serializers.IntegerField(allow_null=True)
    accepted_at = serializers.DateTimeField(allow_null=True)
    final_at = serializers.DateTimeField(allow_null=True)


def recipients_of(campaign: Campaign) -> Any:
    return Message.objects.filter(campaign=campaign).counted().select_related("contact")

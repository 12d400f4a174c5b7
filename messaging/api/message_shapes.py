from __future__ import annotations

from typing import Any

from rest_framework import serializers

from contacts.models import Purpose
from messaging import inbox
from messaging.api.fields import Flag, Phone, Text, Values, Word
from messaging.api.shapes import Shape
from messaging.models import Message
from messaging.policy import Lane, Reason
from messaging.statuses import Channel, DeliveryState, SendState, Status

PURPOSES = [Purpose.SERVICE, Purpose.MARKETING, Purpose.AUTHENTICATION]  # confirming an opt-out is ours alone
STEP_KINDS = ["received", "planned", "held", "stopped", "request", "answer", "dn", "judged"]


class _NewMessage(Shape):
    to = Phone(help_text="a mobile number in any spelling; without country code one of the house's region")
    connection = Text(required=False, max_length=80, help_text="id or name; needed if there are several")
    purpose = Word(required=False, default=Purpose.SERVICE.value, choices=[purpose.value for purpose in PURPOSES])
    reference = Text(required=False, max_length=120, help_text="your own, to look it up by")
    dry_run = Flag(required=False, default=False, help_text="say what would happen, send nothing")


class TextMessage(_NewMessage):
    """Free text: on WhatsApp inside the person's 24 hours, or as an SMS."""

    text = Text(max_length=4096)
    channel = Word(required=False, choices=[channel.value for channel in Channel])


class TemplateMessage(_NewMessage):
    """An approved template, also outside the 24 hours."""

    template = Text(max_length=120, help_text="id or name")
    variables = Values(required=False)
    channel = Word(required=False, choices=[Channel.WHATSAPP.value])


class NewMessage(Shape):
    """One of the two, by whether it names a template."""

    def to_internal_value(self, data: Any) -> Any:
        kind = TemplateMessage if isinstance(data, dict) and "template" in data else TextMessage
        return kind().run_validation(data)


class ReferenceQuery(Shape):
    reference = Text(max_length=120, help_text="yours, as you sent it")


class StepShape(serializers.Serializer):
    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=STEP_KINDS)
    text = serializers.CharField()


class FactsShape(serializers.Serializer):
    """What the rule looked at."""

    rule = serializers.CharField(help_text="version of the rule")
    last_mo_at = serializers.DateTimeField(allow_null=True, help_text="when they last wrote")
    window_ends_at = serializers.DateTimeField(allow_null=True)


class MessageShape(serializers.Serializer):
    """One message. `to` is digits; `id` is null in a dry run."""

    id = serializers.SerializerMethodField()
    reference = serializers.CharField(allow_blank=True)
    to = serializers.CharField(source="contact.msisdn", allow_null=True)
    channel = serializers.ChoiceField(choices=[channel.value for channel in Channel], allow_blank=True)
    lane = serializers.SerializerMethodField()
    reason = serializers.SerializerMethodField()
    facts = serializers.SerializerMethodField()
    send_state = serializers.ChoiceField(choices=[state.value for state in SendState])
    delivery_state = serializers.ChoiceField(choices=[state.value for state in DeliveryState])
    status = serializers.ChoiceField(choices=[status.value for status in Status])
    window_ends_at = serializers.SerializerMethodField()
    parts = serializers.IntegerField(allow_null=True)
    steps = serializers.SerializerMethodField()

    def get_id(self, message: Message) -> str | None:
        return str(message.public_id) if message.pk else None

    def get_lane(self, message: Message) -> str:
        return message.lane or message.planned_lane

    def get_reason(self, message: Message) -> str:
        return message.reason or message.planned_reason

    def get_facts(self, message: Message) -> dict[str, Any] | None:
        return message.facts

    def get_window_ends_at(self, message: Message) -> str | None:
        return message.facts and message.facts["window_ends_at"]

    def get_steps(self, message: Message) -> list[dict[str, Any]]:
        return list(StepShape(inbox.steps(message), many=True).data) if message.pk else []


LANES = ", ".join(f"`{lane}`" for lane in Lane)
REASONS = ", ".join(f"`{reason}`" for reason in Reason)

"""Conversations, their timelines, and the connections' balances."""

from __future__ import annotations

import base64
import binascii
from typing import Any

from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.response import Response

from messaging import inbox
from messaging.api import visible
from messaging.api.fields import Phone, Text, Whole
from messaging.api.operations import Call, operation
from messaging.api.paging import page
from messaging.api.shapes import MOST, PageQuery, Shape, page_of
from messaging.api.views import ApiView
from messaging.inbox import Entry
from messaging.models import Connection, Conversation, ConversationEvent, Message, Scope
from messaging.statuses import Channel, Status

VIEW, VIEW_CONNECTION = "messaging.view_conversation", "messaging.view_connection"
KINDS = [*Message.Direction.values, *ConversationEvent.Kind.values]


class ConversationQuery(PageQuery):
    msisdn = Phone(required=False, help_text="those with this number")


class TimelineQuery(Shape):
    cursor = Text(required=False, max_length=120, pattern=r"^[A-Za-z0-9_-]*$", help_text="`next` of the page before")
    limit = Whole(required=False, default=50, min_value=1, max_value=MOST)


class PersonShape(serializers.Serializer):
    id = serializers.UUIDField(source="public_id")
    msisdn = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_blank=True)


class ConversationShape(serializers.Serializer):
    """One person on one connection and channel. Until `window_ends_at` free text may be sent."""

    id = serializers.UUIDField(source="public_id")
    contact = PersonShape()
    connection = serializers.UUIDField(source="connection.public_id")
    channel = serializers.ChoiceField(choices=[channel.value for channel in Channel])
    last_mo_at = serializers.DateTimeField(allow_null=True)
    window_open = serializers.BooleanField()
    window_ends_at = serializers.DateTimeField(allow_null=True)
    last_message_at = serializers.DateTimeField()
    unread = serializers.IntegerField(help_text="what they wrote that staff have not answered")


class EntryShape(serializers.Serializer):
    """A message, or what else happened. `mo` came from the person, `mt` went to them."""

    at = serializers.DateTimeField()
    kind = serializers.ChoiceField(choices=KINDS)
    text = serializers.CharField(allow_blank=True)
    message = serializers.UUIDField(allow_null=True)
    status = serializers.ChoiceField(choices=[status.value for status in Status], allow_null=True)


class BalanceShape(serializers.Serializer):
    """What the provider last said; `connection` is the id that messages and campaigns name."""

    connection = serializers.UUIDField(source="public_id")
    name = serializers.CharField()
    state = serializers.ChoiceField(choices=Connection.State.values)
    balance = serializers.DecimalField(max_digits=14, decimal_places=4, allow_null=True)
    currency = serializers.CharField(source="balance_currency", allow_blank=True)
    at = serializers.DateTimeField(source="balance_at", allow_null=True)


def told(conversation: Conversation, call: Call) -> dict[str, Any]:
    window = inbox.window_of(conversation, call.now)
    conversation.window_open, conversation.window_ends_at = window.open, window.ends_at  # type: ignore[attr-defined]
    return dict(ConversationShape(conversation).data)


class Conversations(ApiView):
    @operation(
        "All conversations",
        scope=Scope.READ,
        right=VIEW,
        query=ConversationQuery,
        answers={200: page_of(ConversationShape)},
    )
    def get(self, call: Call) -> Response:
        mine = visible.conversations(call.client)
        if msisdn := call.query.get("msisdn"):
            mine = mine.filter(contact__msisdn=msisdn)
        return page(mine, call, lambda rows: [told(row, call) for row in rows])


class ConversationDetail(ApiView):
    @operation("One conversation", scope=Scope.READ, right=VIEW, answers={200: ConversationShape})
    def get(self, call: Call, conversation_id: Any) -> Response:
        return Response(told(_find(call, conversation_id), call))


class Timeline(ApiView):
    @operation(
        "What was said and done, newest first",
        scope=Scope.READ,
        right=VIEW,
        query=TimelineQuery,
        answers={200: page_of(EntryShape)},
        description="The person's whole timeline, over all channels. A test client sees what went through sandboxes.",
    )
    def get(self, call: Call, conversation_id: Any) -> Response:
        contact, limit = _find(call, conversation_id).contact, call.query["limit"]
        found = inbox.timeline(contact, before=_opened(call.query.get("cursor", "")), limit=limit + 1)[::-1]
        shown = [entry for entry in found[:limit] if call.client.live or _of_sandbox(entry)]
        following = _sealed(found[limit - 1].cursor) if len(found) > limit else None
        return Response({"results": [_entry(entry) for entry in shown], "next": following})


class Balance(ApiView):
    @operation(
        "Connections and their balances",
        scope=Scope.READ,
        right=VIEW_CONNECTION,
        answers={200: page_of(BalanceShape)},
    )
    def get(self, call: Call) -> Response:
        return Response({"results": BalanceShape(visible.connections(call.client), many=True).data, "next": None})


def _find(call: Call, conversation_id: Any) -> Conversation:
    return get_object_or_404(visible.conversations(call.client), public_id=conversation_id)


def _of_sandbox(entry: Entry) -> bool:
    return entry.message is not None and entry.message.connection.kind == Connection.Kind.SANDBOX


def _entry(entry: Entry) -> dict[str, Any]:
    message = entry.message
    told = {"at": entry.at, "kind": entry.kind, "text": entry.text}
    told |= {"message": message and message.public_id, "status": message and message.status}
    return dict(EntryShape(told).data)


def _sealed(cursor: str) -> str:
    """Letters that mean nothing to whoever holds them."""
    return base64.urlsafe_b64encode(cursor.encode()).decode().rstrip("=")


def _opened(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""

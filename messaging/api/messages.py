"""Sending one message, and what became of it."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework.response import Response

from messaging import nudges, singles
from messaging.api import visible
from messaging.api.message_shapes import (
    LANES,
    REASONS,
    MessageShape,
    NewMessage,
    ReferenceQuery,
    TemplateMessage,
    TextMessage,
)
from messaging.api.operations import Call, operation
from messaging.api.shapes import page_of
from messaging.api.views import ApiView
from messaging.models import Scope
from messaging.statuses import Channel

VIEW = "messaging.view_conversation"
LATEST = 50
EITHER = PolymorphicProxySerializer("NewMessage", [TextMessage, TemplateMessage], resource_type_field_name=None)


class Messages(ApiView):
    @operation(
        "Look up messages by your reference",
        scope=Scope.READ,
        right=VIEW,
        query=ReferenceQuery,
        answers={200: page_of(MessageShape)},
        description=f"Your client's own, newest first, at most {LATEST}.",
    )
    def get(self, call: Call) -> Response:
        mine = visible.messages(call.client).filter(client=call.client, reference=call.query["reference"])
        return Response({"results": MessageShape(mine.order_by("-pk")[:LATEST], many=True).data, "next": None})

    @operation(
        "Send a message",
        scope=Scope.SEND,
        right="messaging.reply_conversation",
        body=NewMessage,
        body_described=EITHER,
        answers={202: MessageShape, 200: MessageShape},
        once=True,
        description="202: it is queued, or held. 409: the rule refuses it, `code` is the reason, nothing is queued. "
        f"A dry run always answers 200.\n\nLanes: {LANES}.\n\nReasons: {REASONS}; `missing_variable` and "
        "`unfit_variable` name the variable after a colon.",
    )
    def post(self, call: Call) -> Response:
        connection = visible.connection_of(call.client, call.body.get("connection"))
        name = call.body.get("template")
        sent = singles.submit(
            to=call.body["to"],
            connection=connection,
            now=call.now,
            channel=Channel(call.body.get("channel", Channel.WHATSAPP)),
            text=call.body.get("text", ""),
            template_version=visible.version_of(name) if name else None,
            variables=call.body.get("variables"),
            purpose=call.body["purpose"],
            reference=call.body.get("reference", ""),
            client=call.client,
            dry_run=call.body["dry_run"],
        )
        if call.body["dry_run"]:
            return Response(dry(sent.message))
        nudges.drain(connection.pk)
        return Response(MessageShape(sent.message).data, status=202)


def dry(message: Any) -> dict[str, Any]:
    """The message's shape for one that was never saved."""
    message.pk = None
    return dict(MessageShape(message).data)


class MessageDetail(ApiView):
    @operation("One message, step by step", scope=Scope.READ, right=VIEW, answers={200: MessageShape})
    def get(self, call: Call, message_id: Any) -> Response:
        return Response(MessageShape(get_object_or_404(visible.messages(call.client), public_id=message_id)).data)

"""What goes out: an event as Standard Webhooks JSON, or a DN or MO as the provider would have sent it.

Written when it leaves, so that an event kept for weeks says nothing of a person who was erased meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from messaging.doorkeeping import dn_fields, mo_fields
from messaging.models import DoorRecipient, EventType, OutboxEvent, WebhookDelivery, WebhookEndpoint
from messaging.webhooks.signing import signed_headers

Format = WebhookEndpoint.Format


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A body and the headers that it needs."""

    body: bytes
    headers: Mapping[str, str]


def outgoing(delivery: WebhookDelivery, *, secrets: list[str], now: datetime) -> Outgoing:
    """`delivery` with its endpoint, event, and that event's contact and message."""
    event = delivery.event
    headers = {"User-Agent": "Switchboard", "Accept": "*/*"}
    if delivery.endpoint.format == Format.STANDARD:
        body = json.dumps(described(event), ensure_ascii=False, separators=(",", ":")).encode()
        signed = signed_headers(str(event.public_id), body, secrets, now)
        return Outgoing(body, headers | {"Content-Type": "application/json"} | dict(signed))
    form = _door_dn(event) if delivery.endpoint.format == Format.DOOR_DN else _door_mo(event)
    return Outgoing(urlencode(form).encode(), headers | {"Content-Type": "application/x-www-form-urlencoded"})


def described(event: OutboxEvent) -> dict[str, Any]:
    """An event as its receivers see it."""
    return {"id": str(event.public_id), "type": event.type, "timestamp": event.at.isoformat(), "data": _data(event)}


def _data(event: OutboxEvent) -> dict[str, Any]:
    message, contact = event.message, event.contact
    match event.type:
        case EventType.MESSAGE_STATUS if message:
            whose = {"id": str(message.public_id), "reference": message.reference, "to": contact and contact.msisdn}
            return whose | {"seq": event.seq, **event.data}
        case EventType.MESSAGE_RECEIVED if message:
            whose = {"id": str(message.public_id), "from": contact and (contact.msisdn or contact.wa_id)}
            return whose | {"seq": event.seq, "text": message.body, "media": message.media, **event.data}
        case EventType.CONSENT_CHANGED:
            return {"contact": contact and str(contact.public_id), "msisdn": contact and contact.msisdn, **event.data}
        case _:
            return dict(event.data)


def _door_dn(event: OutboxEvent) -> dict[str, str]:
    """The triggers write events of statuses that the provider would report, and no others."""
    recipient = DoorRecipient.objects.select_related("call", "message__contact").get(message=event.message_id)
    said = {name: event.data[name] for name in ("status", "reason", "error_code")}
    fields = dn_fields(recipient, **said)
    assert fields is not None
    return fields


def _door_mo(event: OutboxEvent) -> dict[str, str]:
    assert event.message is not None
    return mo_fields(event.message)

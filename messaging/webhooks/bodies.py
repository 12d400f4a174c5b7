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

from messaging.models import DoorRecipient, EventType, OutboxEvent, WebhookDelivery, WebhookEndpoint
from messaging.statuses import Status
from messaging.webhooks.signing import signed_headers

Format = WebhookEndpoint.Format

NO_CAUSE = "50"  # "Unknown Error / Not specify", also for our own no; 552 is "SMS expired"
DN_WORDS = {  # status → the provider's word, and the code where no DN of its own brought one
    Status.SENT: ("SENT", "020"),
    Status.DELIVERED: ("DELIVERED", "000"),
    Status.UNDELIVERED: ("UNDELIVERED", NO_CAUSE),
    Status.REFUSED: ("UNDELIVERED", NO_CAUSE),
    Status.SKIPPED: ("UNDELIVERED", NO_CAUSE),
    Status.CANCELLED: ("UNDELIVERED", NO_CAUSE),
    Status.EXPIRED: ("UNDELIVERED", "552"),
}
FROM_A_DN = {Status.SENT, Status.DELIVERED, Status.UNDELIVERED}


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
    """protocol.md section 3; an id of a call to one number has no index."""
    status = Status(event.data["status"])
    word, code = DN_WORDS[status]
    if status in FROM_A_DN and event.data["error_code"]:
        code = event.data["error_code"]
    msisdn = (event.contact and event.contact.msisdn) or ""
    return {"status": word, "error-code": code, "msisdn": msisdn, "msgid": _msgid(event)}


def _msgid(event: OutboxEvent) -> str:
    recipient = DoorRecipient.objects.select_related("call").get(message=event.message_id)
    call = recipient.call
    return f"{call.ref}-{recipient.position}" if call.recipients.count() > 1 else call.ref


def _door_mo(event: OutboxEvent) -> dict[str, str]:
    """protocol.md section 4, under the names that the sandbox uses."""
    message, contact = event.message, event.contact
    assert message is not None
    sender = (contact and (contact.msisdn or contact.wa_id)) or ""
    attached = [item["url"] for item in message.media or [] if item.get("url")]
    return {
        "from": sender,
        "text": message.body,
        "moid": str(message.public_id),
        "time": message.timeline_at.isoformat(),
        "channel": message.channel,
        **({"media": attached[0]} if attached else {}),
    }

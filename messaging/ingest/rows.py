"""What the digest reads and writes, as plain rows: ORM objects would cost as much as all the rest of a DN's way."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from messaging.models import DeliveryNotice


@dataclass(slots=True)
class RawCall:
    """An InboundRaw that waits to be read; `problem` says why there was nothing in it."""

    id: int
    query: bytes
    content_type: str
    body: bytes
    received_at: datetime
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Recipient:
    """A RequestRecipient, with the ref of its request."""

    id: int
    ref: str
    message_id: int
    position: int
    address_hmac: bytes
    outcome: str
    superseded: bool


@dataclass(slots=True)
class NoticeRow:
    """A DeliveryNotice, stored or about to be."""

    id: int
    raw_id: int
    received_at: datetime
    status: str
    error_code: str
    msisdn: str
    msgid: str
    address_hmac: bytes | None
    state: str = DeliveryNotice.State.PARKED
    flag: str = ""
    recipient: Recipient | None = None

    @property
    def recipient_id(self) -> int | None:
        return self.recipient.id if self.recipient else None


@dataclass(slots=True)
class MessageRow:
    """What DNs change of a Message, and the channel it went by."""

    id: int
    channel: str
    delivery_state: str
    error_code: str
    final_received_at: datetime | None
    final_notice: int | None
    final_at: datetime | None
    send_state: str
    accepted_at: datetime | None


def as_json(rows: Iterable[object], names: Sequence[str]) -> str:
    """These attributes of each row, for json_to_recordset; bytes in hex."""
    return json.dumps([{name: _plain(getattr(row, name)) for name in names} for row in rows])


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes) else value

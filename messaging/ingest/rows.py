"""What the digest reads and writes, as plain rows: ORM objects would cost as much as all the rest of a DN's way."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from messaging.models import DeliveryNotice

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
US = timedelta(microseconds=1)


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
    raw_id: int | None  # it is kept for a month
    received_us: int  # since EPOCH: dates are dear
    status: str
    error_code: str
    msisdn: str
    msgid: str
    address_hmac: bytes | None
    state: str = DeliveryNotice.State.PARKED
    flag: str = ""
    recipient: Recipient | None = None

    @property
    def received_at(self) -> datetime:
        return EPOCH + self.received_us * US

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
    received_us: int | None  # of the DN applied last, like final_notice
    final_notice: int | None
    send_state: str
    settled_us: int | None = None  # it was unknown, and this DN proves that the provider has it


def as_json(rows: Iterable[object], names: Sequence[str]) -> str:
    """These attributes of each row, for json_to_recordset; bytes in hex."""
    return json.dumps([{name: getattr(row, name) for name in names} for row in rows], default=_hex)


def _hex(value: Any) -> str:
    return bytes(value).hex()

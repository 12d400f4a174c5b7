"""What became of a message: two columns that are never mixed, one word for people, and sums that close."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


class Channel(StrEnum):
    WHATSAPP = "whatsapp"
    SMS = "sms"


class SendState(StrEnum):
    """How far we got with handing a message to the provider."""

    PLANNED = "planned"
    QUEUED = "queued"
    CLAIMED = "claimed"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    HELD = "held"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    STUCK = "stuck"


class DeliveryState(StrEnum):
    """What DNs say, and nothing else."""

    NONE = "none"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"


class Status(StrEnum):
    """The one word for a message on screens and in the API (interfaces.md, REST)."""

    PLANNED = "planned"
    QUEUED = "queued"
    HELD = "held"
    SENDING = "sending"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    STUCK = "stuck"


PASSING = frozenset({SendState.PLANNED, SendState.QUEUED, SendState.CLAIMED, SendState.SENDING, SendState.HELD})
SUBMITTED = frozenset({SendState.ACCEPTED, SendState.UNKNOWN})
FINAL = frozenset({DeliveryState.DELIVERED, DeliveryState.UNDELIVERED})

STATUS_WORDS: Mapping[Status, Promise] = {
    Status.PLANNED: _("Planned"),
    Status.QUEUED: _("Waiting to be sent"),
    Status.HELD: _("Held back"),
    Status.SENDING: _("Being sent"),
    Status.ACCEPTED: _("Accepted by the provider"),
    Status.SENT: _("Sent to the network"),
    Status.DELIVERED: _("Delivered"),
    Status.UNDELIVERED: _("Not delivered"),
    Status.REFUSED: _("Refused by the provider"),
    Status.UNKNOWN: _("Unknown: it may or may not have left"),
    Status.SKIPPED: _("Skipped"),
    Status.CANCELLED: _("Cancelled"),
    Status.EXPIRED: _("Expired before it could be sent"),
    Status.STUCK: _("Stuck: needs a person"),
}


def status(send_state: SendState | str, delivery_state: DeliveryState | str = DeliveryState.NONE) -> Status:
    """The word for the pair. DNs speak only for what was submitted; a claimed message is still queued to people."""
    send_state, delivery_state = SendState(send_state), DeliveryState(delivery_state)
    if send_state in SUBMITTED and delivery_state is not DeliveryState.NONE:
        return Status(delivery_state)
    return Status.QUEUED if send_state is SendState.CLAIMED else Status(send_state)


# Folding DNs (protocol.md section 3: the last DN received is final; SENT is not a final status).


@dataclass(frozen=True, slots=True)
class Notice:
    """What one DN says; `key` orders DNs by receipt at the edge and is unique. `state` is None for a word not ours."""

    state: DeliveryState | None
    key: int


@dataclass(frozen=True, slots=True)
class Folded:
    """The state after a DN, the key of the DN that now holds, and whether that is this one (else it is history)."""

    state: DeliveryState
    applied_key: int | None
    applied: bool


@lru_cache(maxsize=64)
def delivery_state_of(word: str) -> DeliveryState | None:
    """The provider's `status` word as ours, None if it is not documented."""
    try:
        return DeliveryState(word.strip().lower()) if word.strip().lower() != DeliveryState.NONE else None
    except ValueError:
        return None


def fold(state: DeliveryState | str, applied_key: int | None, notice: Notice, *, literal: bool = False) -> Folded:
    """Apply one DN; any order of arrival folds to the same end. `literal` lets a late SENT replace a final status."""
    state = DeliveryState(state)
    if notice.state is None or not _applies(state, applied_key, notice, literal):
        return Folded(state, applied_key, applied=False)
    return Folded(notice.state, notice.key, applied=True)


def _applies(state: DeliveryState, applied_key: int | None, notice: Notice, literal: bool) -> bool:
    later = applied_key is None or notice.key > applied_key
    if literal or state in FINAL:
        return later and (literal or notice.state in FINAL)
    return notice.state in FINAL or state is DeliveryState.NONE


@dataclass(frozen=True, slots=True)
class Sums:
    """Counts of one audience. `unknown` here are those that no DN has settled."""

    skipped: int = 0
    held: int = 0
    to_send: int = 0
    in_flight: int = 0
    refused: int = 0
    cancelled: int = 0
    expired: int = 0
    stuck: int = 0
    delivered: int = 0
    undelivered: int = 0
    waiting: int = 0
    unknown: int = 0

    @property
    def submitted(self) -> int:
        return self.delivered + self.undelivered + self.waiting + self.unknown

    @property
    def audience(self) -> int:
        unsubmitted = self.skipped + self.held + self.to_send + self.in_flight
        return unsubmitted + self.refused + self.cancelled + self.expired + self.stuck + self.submitted


_BUCKETS: Mapping[SendState, str] = {
    SendState.PLANNED: "to_send",
    SendState.QUEUED: "to_send",
    SendState.CLAIMED: "in_flight",
    SendState.SENDING: "in_flight",
}
_SUBMITTED_BUCKETS: Mapping[Status, str] = {Status.ACCEPTED: "waiting", Status.SENT: "waiting"}


def bucket(send_state: SendState | str, delivery_state: DeliveryState | str = DeliveryState.NONE) -> str:
    """The field of Sums that counts a message; each message is in exactly one."""
    if SendState(send_state) in _BUCKETS:
        return _BUCKETS[SendState(send_state)]
    word = status(send_state, delivery_state)
    return _SUBMITTED_BUCKETS.get(word, word.value)


def sums(counts: Mapping[tuple[str, str], int]) -> Sums:
    """Sums from counts for each (send_state, delivery_state), as one GROUP BY gives them."""
    totals: dict[str, int] = {}
    for (send_state, delivery_state), count in counts.items():
        name = bucket(send_state, delivery_state)
        totals[name] = totals.get(name, 0) + count
    return Sums(**totals)

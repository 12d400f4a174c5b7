"""The `to` field: several recipients share one request when all their entries fit."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from messaging.statuses import Channel

TO_LIMIT = 150  # characters in all; Bulk360 WhatsApp API V3.0, parameter `to`
WHATSAPP_PREFIX = "whatsapp:"

Recipient = TypeVar("Recipient")


def to_entry(channel: Channel | str, msisdn: str) -> str:
    """One recipient as the provider wants it; ValueError unless `msisdn` is digits alone."""
    if not (msisdn.isascii() and msisdn.isdigit()):
        raise ValueError("an MSISDN is digits alone")
    return WHATSAPP_PREFIX + msisdn if Channel(channel) is Channel.WHATSAPP else msisdn


def to_field(channel: Channel | str, msisdns: Sequence[str]) -> str:
    """The whole field, its order being the index of each recipient's DN; ValueError if the provider would refuse it."""
    field = ",".join(to_entry(channel, msisdn) for msisdn in msisdns)
    if not 0 < len(field) <= TO_LIMIT:
        raise ValueError(f"`to` holds 1 to {TO_LIMIT} characters")
    return field


def fits(channel: Channel | str, msisdns: Sequence[str]) -> bool:
    """Whether these recipients can share one request."""
    return 0 < len(",".join(to_entry(channel, msisdn) for msisdn in msisdns)) <= TO_LIMIT


def pack(
    channel: Channel | str, recipients: Iterable[Recipient], msisdn: Callable[[Recipient], str] = str
) -> Iterator[list[Recipient]]:
    """Groups for one request each, in the order given; a number that comes again opens a new group."""
    group: list[Recipient] = []
    entries: set[str] = set()
    length = 0
    for recipient in recipients:
        entry = to_entry(channel, msisdn(recipient))
        if group and (length + 1 + len(entry) > TO_LIMIT or entry in entries):
            yield group
            group, entries, length = [], set(), 0
        length += len(entry) + bool(group)
        group.append(recipient)
        entries.add(entry)
    if group:
        yield group

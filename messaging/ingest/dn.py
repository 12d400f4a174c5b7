"""DNs applied to their messages: what they say of the delivery, and of a request that nobody answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from django.db import connection as database

from messaging.ingest import consequences
from messaging.ingest.matching import keys_of, match, number_hmac, recipients_by_ref
from messaging.ingest.parse import ParsedNotice, read_dn
from messaging.models import (
    Connection,
    DeliveryNotice,
    InboundRaw,
    Message,
    Outcome,
    ProviderRequest,
    RequestRecipient,
    ResolvedBy,
)
from messaging.statuses import FINAL, Notice, SendState, delivery_state_of, fold

State = DeliveryNotice.State
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LIVE = (Outcome.IN_FLIGHT, Outcome.ACCEPTED, Outcome.UNKNOWN)

NEW_IDS_SQL = "SELECT nextval(pg_get_serial_sequence('messaging_deliverynotice', 'id')) FROM generate_series(1, %s)"
WRITE_SQL = """
UPDATE messaging_message m
SET delivery_state = d.delivery_state, error_code = d.error_code, final_received_at = d.final_received_at,
    final_notice = d.final_notice, final_at = d.final_at, send_state = d.send_state, accepted_at = d.accepted_at
FROM unnest(%(pk)s::bigint[], %(delivery_state)s::text[], %(error_code)s::text[], %(final_received_at)s::timestamptz[],
            %(final_notice)s::bigint[], %(final_at)s::timestamptz[], %(send_state)s::text[],
            %(accepted_at)s::timestamptz[])
     AS d(id, delivery_state, error_code, final_received_at, final_notice, final_at, send_state, accepted_at)
WHERE m.id = d.id
"""
WRITTEN = ("delivery_state", "error_code", "final_received_at", "final_notice", "final_at", "send_state", "accepted_at")


@dataclass(slots=True)
class _Change:
    """A message, the DNs that are its own, and those of them that moved it."""

    message: Message
    notices: list[DeliveryNotice] = field(default_factory=list)
    applied: list[DeliveryNotice] = field(default_factory=list)
    settled: bool = False  # it was unknown, and these DNs prove that the provider has it


def take_dns(connection: Connection, raws: Iterable[InboundRaw], *, now: datetime) -> None:
    """Every DN in these calls, applied or parked. Runs in the caller's transaction."""
    notices = _read_notices(connection, raws)
    apply_notices(connection, notices, now=now)
    DeliveryNotice.objects.bulk_create(notices)


def _read_notices(connection: Connection, raws: Iterable[InboundRaw]) -> list[DeliveryNotice]:
    """Unsaved notices of these calls, in order, each with its id; a call without any says so in `problem`."""
    found: list[tuple[InboundRaw, ParsedNotice]] = []
    for raw in raws:
        parsed = read_dn(bytes(raw.query), raw.content_type, bytes(raw.body))
        found += ((raw, notice) for notice in parsed)
        raw.problem = "" if parsed else "no delivery notification in it"
    return [
        DeliveryNotice(
            pk=pk,
            raw=raw,
            connection=connection,
            received_at=raw.received_at,
            status=notice.status,
            error_code=notice.code,
            msisdn=notice.msisdn,
            msgid=notice.msgid,
            address_hmac=number_hmac(notice.msisdn),
        )
        for pk, (raw, notice) in zip(_new_ids(len(found)), found, strict=True)
    ]


def apply_notices(connection: Connection, notices: Sequence[DeliveryNotice], *, now: datetime) -> int:
    """Match notices and apply them to their messages; how many found their recipient. The caller saves the notices.

    Runs in the caller's transaction. Locks the contacts that a notice speaks of, then messages, each in order of id.
    """
    _match(connection, notices)
    matched = [notice for notice in notices if notice.recipient is not None]
    contacts = consequences.lock_contacts(matched)
    changes = [_fold(change, literal=connection.literal_last_dn) for change in _lock_messages(matched)]
    _write([change.message for change in changes if change.applied or change.settled])
    _settle([change for change in changes if change.settled], now)
    for change in changes:
        for notice in change.applied:
            consequences.heed(notice, contacts.get(change.message.pk), channel=change.message.channel)
    return len(matched)


def _new_ids(count: int) -> list[int]:
    """Taken beforehand: a message names the notice that it now follows."""
    with database.cursor() as cursor:
        cursor.execute(NEW_IDS_SQL, [count])
        return sorted(row[0] for row in cursor.fetchall())


def _match(connection: Connection, notices: Iterable[DeliveryNotice]) -> None:
    refs = {ref for notice in notices for ref, _ in keys_of(notice.msgid)}
    known = recipients_by_ref(connection.pk, refs)
    for notice in notices:
        hmac = bytes(notice.address_hmac) if notice.address_hmac else None
        found = match(notice.msgid, notice.msisdn, hmac, known)
        notice.recipient, notice.flag = found.recipient, found.flag or notice.flag


def _lock_messages(matched: Iterable[DeliveryNotice]) -> list[_Change]:
    """The messages, each with its DNs; a DN of an attempt that counts no more is history."""
    own: dict[int, list[DeliveryNotice]] = defaultdict(list)
    for notice in matched:
        assert notice.recipient is not None
        if reason := _no_longer(notice.recipient):
            notice.state, notice.flag = State.HISTORY, notice.flag or reason
        else:
            own[notice.recipient.message_id].append(notice)
    messages = Message.objects.filter(pk__in=own).only("channel", *WRITTEN)
    return [_Change(row, own[row.pk]) for row in messages.order_by("pk").select_for_update(no_key=True)]


def _no_longer(recipient: RequestRecipient) -> str:
    """Why what a DN says of this recipient says nothing of its message."""
    if recipient.superseded_at is not None:
        return "superseded"
    return "" if recipient.outcome in LIVE else "not_submitted"


def _fold(change: _Change, *, literal: bool) -> _Change:
    """Each DN in the order of receipt, on top of what the message knew."""
    message = change.message
    for notice in sorted(change.notices, key=_key):
        said = Notice(delivery_state_of(notice.status), _key(notice))
        folded = fold(message.delivery_state, _applied_key(message), said, literal=literal)
        notice.state = State.APPLIED if folded.applied else State.HISTORY
        if folded.applied:
            message.delivery_state, message.error_code = folded.state, notice.error_code
            message.final_received_at, message.final_notice = notice.received_at, notice.pk
            message.final_at = notice.received_at if folded.state in FINAL else None
            change.applied.append(notice)
    if message.send_state == SendState.UNKNOWN:
        message.send_state, message.accepted_at = SendState.ACCEPTED, change.notices[0].received_at
        change.settled = True
    return change


def _key(notice: DeliveryNotice) -> int:
    """Orders DNs by receipt; ids grow in the order in which one connection's calls are read."""
    return _order(notice.received_at, notice.pk)


def _applied_key(message: Message) -> int | None:
    received_at, notice = message.final_received_at, message.final_notice
    return _order(received_at, notice) if received_at is not None and notice is not None else None


def _order(received_at: datetime, notice_id: int) -> int:
    return ((received_at - EPOCH) // timedelta(microseconds=1) << 64) + notice_id


def _write(messages: Sequence[Message]) -> None:
    if not messages:
        return
    with database.cursor() as cursor:
        cursor.execute(WRITE_SQL, {name: [getattr(row, name) for row in messages] for name in ("pk", *WRITTEN)})


def _settle(changes: Sequence[_Change], now: datetime) -> None:
    """A DN is as good as the answer that never came."""
    recipients = {notice.recipient for change in changes for notice in change.notices if notice.recipient}
    if not recipients:
        return
    unknown = RequestRecipient.objects.filter(pk__in=[row.pk for row in recipients], outcome=Outcome.UNKNOWN)
    unknown.update(outcome=Outcome.ACCEPTED, resolved_by=ResolvedBy.DN, resolved_at=now)
    ProviderRequest.objects.filter(recipients__in=recipients, outcome=Outcome.UNKNOWN).update(
        outcome=Outcome.ACCEPTED, resolved_by=ResolvedBy.DN
    )

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
from messaging.ingest.rows import MessageRow, NoticeRow, RawCall, Recipient, as_json
from messaging.models import Connection, DeliveryNotice, Outcome, ProviderRequest, RequestRecipient, ResolvedBy
from messaging.statuses import FINAL, Notice, SendState, delivery_state_of, fold

State = DeliveryNotice.State
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LIVE = (Outcome.IN_FLIGHT, Outcome.ACCEPTED, Outcome.UNKNOWN)

NEW_IDS_SQL = "SELECT nextval(pg_get_serial_sequence('messaging_deliverynotice', 'id')) FROM generate_series(1, %s)"
STORE_SQL = """
INSERT INTO messaging_deliverynotice
       (id, raw_id, connection_id, received_at, status, error_code, msisdn, msgid, address_hmac, state, flag,
        recipient_id)
SELECT id, raw_id, %s, received_at, status, error_code, msisdn, msgid, decode(address_hmac, 'hex'), state, flag,
       recipient_id
FROM json_to_recordset(%s) AS d(id bigint, raw_id bigint, received_at timestamptz, status text, error_code text,
     msisdn text, msgid text, address_hmac text, state text, flag text, recipient_id bigint)
"""
STORED = (
    "id", "raw_id", "received_at", "status", "error_code", "msisdn", "msgid", "address_hmac", "state", "flag",
    "recipient_id",
)  # fmt: skip
LOCK_SQL = """
SELECT id, channel, delivery_state, error_code, final_received_at, final_notice, final_at, send_state, accepted_at
FROM messaging_message WHERE id = ANY (%s) ORDER BY id FOR NO KEY UPDATE
"""
WRITE_SQL = """
UPDATE messaging_message m
SET delivery_state = d.delivery_state, error_code = d.error_code, final_received_at = d.final_received_at,
    final_notice = d.final_notice, final_at = d.final_at, send_state = d.send_state, accepted_at = d.accepted_at
FROM json_to_recordset(%s) AS d(id bigint, delivery_state text, error_code text, final_received_at timestamptz,
     final_notice bigint, final_at timestamptz, send_state text, accepted_at timestamptz)
WHERE m.id = d.id
"""
WRITTEN = (
    "id", "delivery_state", "error_code", "final_received_at", "final_notice", "final_at", "send_state", "accepted_at",
)  # fmt: skip


@dataclass(slots=True)
class _Change:
    """A message, the DNs that are its own, and those of them that moved it."""

    message: MessageRow
    notices: list[NoticeRow] = field(default_factory=list)
    applied: list[NoticeRow] = field(default_factory=list)
    settled: bool = False  # it was unknown, and these DNs prove that the provider has it


def take_dns(connection: Connection, raws: Iterable[RawCall], *, now: datetime) -> None:
    """Every DN in these calls, applied or parked. Runs in the caller's transaction."""
    notices = _read_notices(raws)
    apply_notices(connection, notices, now=now)
    with database.cursor() as cursor:
        cursor.execute(STORE_SQL, [connection.pk, as_json(notices, STORED)])


def _read_notices(raws: Iterable[RawCall]) -> list[NoticeRow]:
    """The notices of these calls, in order, each with its id; a call without any says so in `problem`."""
    found: list[tuple[RawCall, ParsedNotice]] = []
    for raw in raws:
        parsed = read_dn(raw.query, raw.content_type, raw.body)
        found += ((raw, notice) for notice in parsed)
        raw.problem = "" if parsed else "no delivery notification in it"
    return [
        NoticeRow(
            id=id_,
            raw_id=raw.id,
            received_at=raw.received_at,
            status=notice.status,
            error_code=notice.code,
            msisdn=notice.msisdn,
            msgid=notice.msgid,
            address_hmac=number_hmac(notice.msisdn),
        )
        for id_, (raw, notice) in zip(_new_ids(len(found)), found, strict=True)
    ]


def apply_notices(connection: Connection, notices: Sequence[NoticeRow], *, now: datetime) -> int:
    """Match notices and apply them to their messages; how many found their recipient. The caller stores the notices.

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
            consequences.heed(notice, contacts.get(change.message.id), channel=change.message.channel)
    return len(matched)


def _new_ids(count: int) -> list[int]:
    """Taken beforehand: a message names the notice that it now follows."""
    with database.cursor() as cursor:
        cursor.execute(NEW_IDS_SQL, [count])
        return sorted(row[0] for row in cursor.fetchall())


def _match(connection: Connection, notices: Iterable[NoticeRow]) -> None:
    refs = {ref for notice in notices for ref, _ in keys_of(notice.msgid)}
    known = recipients_by_ref(connection.pk, refs)
    for notice in notices:
        found = match(notice.msgid, notice.msisdn, notice.address_hmac, known)
        notice.recipient, notice.flag = found.recipient, found.flag or notice.flag


def _lock_messages(matched: Iterable[NoticeRow]) -> list[_Change]:
    """The messages, each with its DNs; a DN of an attempt that counts no more is history."""
    own: dict[int, list[NoticeRow]] = defaultdict(list)
    for notice in matched:
        assert notice.recipient is not None
        if reason := _no_longer(notice.recipient):
            notice.state, notice.flag = State.HISTORY, notice.flag or reason
        else:
            own[notice.recipient.message_id].append(notice)
    with database.cursor() as cursor:
        cursor.execute(LOCK_SQL, [list(own)])
        return [_Change(message, own[message.id]) for message in (MessageRow(*row) for row in cursor.fetchall())]


def _no_longer(recipient: Recipient) -> str:
    """Why what a DN says of this recipient says nothing of its message."""
    if recipient.superseded:
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
            message.final_received_at, message.final_notice = notice.received_at, notice.id
            message.final_at = notice.received_at if folded.state in FINAL else None
            change.applied.append(notice)
    if message.send_state == SendState.UNKNOWN:
        message.send_state, message.accepted_at = SendState.ACCEPTED, change.notices[0].received_at
        change.settled = True
    return change


def _key(notice: NoticeRow) -> int:
    """Orders DNs by receipt; ids grow in the order in which one connection's calls are read."""
    return _order(notice.received_at, notice.id)


def _applied_key(message: MessageRow) -> int | None:
    received_at, notice = message.final_received_at, message.final_notice
    return _order(received_at, notice) if received_at is not None and notice is not None else None


def _order(received_at: datetime, notice_id: int) -> int:
    return ((received_at - EPOCH) // timedelta(microseconds=1) << 64) + notice_id


def _write(messages: Sequence[MessageRow]) -> None:
    if not messages:
        return
    with database.cursor() as cursor:
        cursor.execute(WRITE_SQL, [as_json(messages, WRITTEN)])


def _settle(changes: Sequence[_Change], now: datetime) -> None:
    """A DN is as good as the answer that never came."""
    recipients = {notice.recipient_id for change in changes for notice in change.notices}
    if not recipients:
        return
    unknown = RequestRecipient.objects.filter(pk__in=recipients, outcome=Outcome.UNKNOWN)
    unknown.update(outcome=Outcome.ACCEPTED, resolved_by=ResolvedBy.DN, resolved_at=now)
    ProviderRequest.objects.filter(recipients__in=recipients, outcome=Outcome.UNKNOWN).update(
        outcome=Outcome.ACCEPTED, resolved_by=ResolvedBy.DN
    )

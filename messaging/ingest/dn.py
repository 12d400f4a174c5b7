"""DNs applied to their messages: what they say of the delivery, and of a request that nobody answered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from config.statements import prepared_cursor
from messaging.ingest import consequences
from messaging.ingest.matching import keys_of, match, number_hmac, recipients_by_ref
from messaging.ingest.parse import ParsedNotice, read_dn
from messaging.ingest.rows import EPOCH, US, MessageRow, NoticeRow, RawCall, Recipient, as_json
from messaging.models import Connection, DeliveryNotice, Outcome, ProviderRequest, RequestRecipient, ResolvedBy
from messaging.statuses import Notice, SendState, delivery_state_of, fold

State = DeliveryNotice.State
LIVE = (Outcome.IN_FLIGHT, Outcome.ACCEPTED, Outcome.UNKNOWN)

NEW_IDS_SQL = "SELECT nextval(pg_get_serial_sequence('messaging_deliverynotice', 'id')) FROM generate_series(1, %s)"
STORE_SQL = """
INSERT INTO messaging_deliverynotice
       (id, raw_id, connection_id, received_at, status, error_code, msisdn, msgid, address_hmac, state, flag,
        recipient_id)
SELECT id, raw_id, %s, timestamptz 'epoch' + received_us * interval '1 microsecond', status, error_code, msisdn, msgid,
       decode(address_hmac, 'hex'), state, flag, recipient_id
FROM json_to_recordset(%s) AS d(id bigint, raw_id bigint, received_us bigint, status text, error_code text,
     msisdn text, msgid text, address_hmac text, state text, flag text, recipient_id bigint)
"""
STORED = (
    "id", "raw_id", "received_us", "status", "error_code", "msisdn", "msgid", "address_hmac", "state", "flag",
    "recipient_id",
)  # fmt: skip
LOCK_SQL = """
SELECT id, channel, delivery_state, error_code, (extract(epoch FROM final_received_at) * 1000000)::bigint, final_notice,
       send_state
FROM messaging_message WHERE id = ANY (%s) ORDER BY id FOR NO KEY UPDATE
"""
WRITE_SQL = """
WITH told AS (
    SELECT id, delivery_state, error_code, final_notice, send_state,
           timestamptz 'epoch' + received_us * interval '1 microsecond' AS received_at,
           timestamptz 'epoch' + settled_us * interval '1 microsecond' AS settled_at
    FROM json_to_recordset(%s) AS d(id bigint, delivery_state text, error_code text, received_us bigint,
         final_notice bigint, send_state text, settled_us bigint))
UPDATE messaging_message m
SET delivery_state = told.delivery_state, error_code = told.error_code, final_notice = told.final_notice,
    final_received_at = told.received_at, send_state = told.send_state,
    final_at = CASE WHEN told.delivery_state IN ('delivered', 'undelivered') THEN told.received_at END,
    accepted_at = COALESCE(told.settled_at, m.accepted_at)
FROM told WHERE m.id = told.id
"""
WRITTEN = ("id", "delivery_state", "error_code", "received_us", "final_notice", "send_state", "settled_us")


@dataclass(slots=True)
class _Change:
    """A message, the DNs that are its own, and those of them that moved it."""

    message: MessageRow
    notices: list[NoticeRow] = field(default_factory=list)
    applied: list[NoticeRow] = field(default_factory=list)

    @property
    def settled(self) -> bool:
        return self.message.settled_us is not None


def take_dns(connection: Connection, raws: Iterable[RawCall], *, now: datetime) -> None:
    """Every DN in these calls, applied or parked. Runs in the caller's transaction."""
    notices = _read_notices(raws)
    apply_notices(connection, notices, now=now)
    with prepared_cursor() as cursor:
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
            received_us=(raw.received_at - EPOCH) // US,
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
    with prepared_cursor() as cursor:
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
    with prepared_cursor() as cursor:
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
            message.received_us, message.final_notice = notice.received_us, notice.id
            change.applied.append(notice)
    if message.send_state == SendState.UNKNOWN:
        message.send_state, message.settled_us = SendState.ACCEPTED, change.notices[0].received_us
    return change


def _key(notice: NoticeRow) -> int:
    """Orders DNs by receipt; ids grow in the order in which one connection's calls are read."""
    return (notice.received_us << 64) + notice.id


def _applied_key(message: MessageRow) -> int | None:
    received_us, notice = message.received_us, message.final_notice
    return (received_us << 64) + notice if received_us is not None and notice is not None else None


def _write(messages: Sequence[MessageRow]) -> None:
    if not messages:
        return
    with prepared_cursor() as cursor:
        cursor.execute(WRITE_SQL, [as_json(messages, WRITTEN)])


def _settle(changes: Sequence[_Change], now: datetime) -> None:
    """A DN is as good as the answer that never came."""
    recipients = [notice.recipient.id for change in changes for notice in change.notices if notice.recipient]
    if not recipients:
        return
    unknown = RequestRecipient.objects.filter(pk__in=recipients, outcome=Outcome.UNKNOWN)
    unknown.update(outcome=Outcome.ACCEPTED, resolved_by=ResolvedBy.DN, resolved_at=now)
    ProviderRequest.objects.filter(recipients__in=recipients, outcome=Outcome.UNKNOWN).update(
        outcome=Outcome.ACCEPTED, resolved_by=ResolvedBy.DN
    )

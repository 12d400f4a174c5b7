"""What a DN's code means beyond its message: a number that does not work, a person who said no, an empty account."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from django.db.models import Max

from contacts import consent
from contacts.models import ConsentEvent, Contact
from messaging.connections import stop_connection
from messaging.ingest.rows import NoticeRow
from messaging.models import Connection, ConversationEvent, DeliveryNotice, Message
from messaging.providers.codes import DN_CODES, DnClass, DnCode, dn_code
from messaging.statuses import DeliveryState, delivery_state_of

Kind = ConversationEvent.Kind
UNDELIVERED = DeliveryState.UNDELIVERED.upper()
NO_CREDIT_CODES = [str(code) for code, entry in DN_CODES.items() if entry.kind is DnClass.NO_CREDIT]
NO_CREDIT_NOTICES = 3  # of different people in NO_CREDIT_PERIOD: the account is empty (reliability.md F19)
NO_CREDIT_PERIOD = timedelta(minutes=5)


def trouble(notice: NoticeRow) -> DnCode | None:
    """The code of a notice that says UNDELIVERED."""
    if delivery_state_of(notice.status) is not DeliveryState.UNDELIVERED:
        return None
    return dn_code(notice.error_code)


def lock_contacts(matched: Iterable[NoticeRow]) -> Mapping[int, Contact]:
    """The people whom these notices may mark or suppress, locked in order of id; by message."""
    concerned = [
        notice.recipient.message_id
        for notice in matched
        if notice.recipient and (code := trouble(notice)) and (code.marks_bad or code.suppresses)
    ]
    owners = dict(Message.objects.filter(pk__in=concerned).values_list("pk", "contact")) if concerned else {}
    rows = Contact.objects.filter(pk__in=owners.values()).order_by("pk").select_for_update(no_key=True)
    contacts = {contact.pk: contact for contact in rows} if owners else {}
    return {message: contacts[contact] for message, contact in owners.items()}


def heed(notice: NoticeRow, contact: Contact | None, *, channel: str) -> None:
    """Mark the number bad, or suppress the channel, as the code of an applied notice says."""
    code = trouble(notice)
    if contact is None or contact.erased_at is not None or code is None:
        return
    words = f"{code.code}: {code.provider_words}"
    if code.marks_bad and consent.mark_bad(
        contact=contact, channel=channel, notice_id=notice.id, now=notice.received_at
    ):
        _tell(contact, Kind.NUMBER_BAD, words, notice.received_at)
    if code.suppresses:
        change = consent.opt_out(
            contact=contact,
            source=ConsentEvent.Source.NOTICE,
            words=f"{words} ({notice.msgid})",
            channel=channel,
            now=notice.received_at,
        )
        if change.changed:
            _tell(contact, Kind.OPTED_OUT, words, notice.received_at)


def _tell(contact: Contact, kind: str, words: str, at: datetime) -> None:
    ConversationEvent.objects.create(contact=contact, kind=kind, text=words, at=at)


def stop_if_without_credit(connection: Connection, *, since: datetime, now: datetime) -> None:
    """Stop the connection if DNs say again and again that the account is empty: a 402 can reach us as a DN alone.

    Looks further only if one that was received at `since` or later says so. To be called outside the transaction that
    read them: the connection's row comes first in the order of locks.
    """
    if connection.state != Connection.State.OK:
        return
    saying_so = DeliveryNotice.objects.filter(
        connection=connection, status=UNDELIVERED, error_code__in=NO_CREDIT_CODES, recipient__isnull=False
    )
    latest = saying_so.filter(received_at__gte=since).aggregate(at=Max("received_at"))["at"]
    if latest is None:
        return
    period = (max(latest - NO_CREDIT_PERIOD, connection.state_since), latest)
    people = saying_so.filter(received_at__range=period).values("recipient").distinct()
    if people.count() >= NO_CREDIT_NOTICES:
        code = DN_CODES[int(NO_CREDIT_CODES[0])]
        stop_connection(
            connection_id=connection.pk,
            state=Connection.State.NO_CREDIT,
            code=code.code,
            detail=str(code.provider_words),
            now=now,
        )

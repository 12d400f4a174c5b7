"""A request that nobody answered takes its ref from a DN that can be of no other request: the whole of it is settled.

design.md section 10, "Adoption". Where two things could be meant, nothing is done and the DN is listed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection as database
from django.db import transaction

from messaging.audit import audit
from messaging.ingest.matching import Key, keys_of
from messaging.ingest.turns import my_turn
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
from messaging.recall import recall_second_copies
from messaging.statuses import SendState

DN_WITHIN_HOURS = 72  # of the request
DN_WITHIN = timedelta(hours=DN_WITHIN_HOURS)
AT_ONCE = 200  # a transaction
AMBIGUOUS, UNFIT = "ambiguous_number", "fits_no_request"
OF_KNOWN_REFS = ("ambiguous_ref", "number_not_in_request")

_WENT_THERE = """EXISTS (
    SELECT 1 FROM messaging_requestrecipient t JOIN messaging_providerrequest r ON r.id = t.request_id
    WHERE t.address_hmac = n.address_hmac AND {} AND r.connection_id = n.connection_id
      AND r.outcome = 'unknown' AND r.ref = ''
      AND n.received_at > r.started_at AND n.received_at <= r.started_at + make_interval(hours => %(hours)s))"""
# A person's word about a recipient is no answer of the provider's: its DN is still to come. Apart, for an index each.
HOPEFUL_SQL = f"""
SELECT n.id FROM messaging_deliverynotice n
WHERE n.connection_id = %(connection)s AND n.state = 'parked' AND n.flag = '' AND n.msgid <> ''
  AND ({_WENT_THERE.format("t.outcome = 'unknown'")} OR {_WENT_THERE.format("t.judge_id IS NOT NULL")})
ORDER BY n.received_at, n.id LIMIT %(limit)s
"""


@transaction.atomic
def adopt_unknowns(connection: Connection, now: datetime) -> int:
    """Settle each unknown request that one parked DN alone fits, and that fits no other; how many it was."""
    if not my_turn(connection.pk, InboundRaw.Kind.DN):
        return 0
    hopeful = _hopeful(connection)
    if not hopeful:
        return 0
    _hold_still({request for notice in hopeful for request in _fitting(notice) or ()})
    heap = _heap(connection, hopeful)
    return sum(_judge(notice, heap[bytes(notice.address_hmac or b"")], now) for notice in hopeful)


def _hopeful(connection: Connection) -> list[DeliveryNotice]:
    """The oldest parked DNs to numbers that some unknown request went to."""
    with database.cursor() as cursor:
        cursor.execute(HOPEFUL_SQL, {"connection": connection.pk, "hours": DN_WITHIN_HOURS, "limit": AT_ONCE})
        ids = [row[0] for row in cursor.fetchall()]
    return list(DeliveryNotice.objects.filter(pk__in=ids).order_by("received_at", "pk"))


def _heap(connection: Connection, hopeful: Iterable[DeliveryNotice]) -> dict[bytes, list[DeliveryNotice]]:
    """All parked DNs to the same numbers whose ref no request has, also those that were given up."""
    found: dict[bytes, list[DeliveryNotice]] = defaultdict(list)
    parked = DeliveryNotice.objects.filter(connection=connection, state=DeliveryNotice.State.PARKED).exclude(msgid="")
    same = parked.filter(address_hmac__in={bytes(notice.address_hmac or b"") for notice in hopeful}).exclude(
        flag__in=OF_KNOWN_REFS
    )
    for notice in same:
        found[bytes(notice.address_hmac or b"")].append(notice)
    return found


def _judge(notice: DeliveryNotice, heap: Iterable[DeliveryNotice], now: datetime) -> bool:
    """Settle the request that the DN is of, if there is no doubt; else leave the DN to people, or to another tick."""
    fitting = _fitting(notice)
    if fitting is None:
        return False
    if len(fitting) == 1 and not _has_rival(notice, fitting[0], heap):
        _settle(fitting[0], _own_key(notice)[0], notice, now)
        return True
    notice.flag = AMBIGUOUS if fitting else UNFIT
    notice.save(update_fields=["flag"])
    return False


def _hold_still(requests: Iterable[ProviderRequest]) -> None:
    """Lock their messages: whoever records an answer, or judges, does that first."""
    messages = RequestRecipient.objects.filter(request__in=requests).values("message")
    list(Message.objects.filter(pk__in=messages).order_by("pk").select_for_update(no_key=True).values_list("pk"))


def _fitting(notice: DeliveryNotice) -> list[ProviderRequest] | None:
    """The unknown requests that the DN may be of; None if its ref is known, or while another request is in flight."""
    refs = [ref for ref, _ in keys_of(notice.msgid)]
    if ProviderRequest.objects.filter(connection=notice.connection_id, ref__in=refs).exists():
        return None
    attempts = RequestRecipient.objects.filter(
        message__contact__address_hmac=notice.address_hmac,  # their messages are indexed, their attempts are not
        address_hmac=notice.address_hmac,
        request__connection=notice.connection_id,
        request__outcome__in=[Outcome.UNKNOWN, Outcome.IN_FLIGHT],
        request__ref="",
    )
    found = list(attempts.select_related("request").order_by("pk"))
    if any(attempt.request.outcome == Outcome.IN_FLIGHT for attempt in found):
        return None
    return [attempt.request for attempt in found if _fits(notice, attempt)]


def _fits(notice: DeliveryNotice, attempt: RequestRecipient) -> bool:
    """In time and, if the DN names a position, at it; without one only a request of one recipient can be meant."""
    began, index = attempt.request.started_at, _own_key(notice)[1]
    if not began < notice.received_at <= began + DN_WITHIN:
        return False
    return attempt.position == index if index is not None else attempt.request.recipients.count() == 1


def _own_key(notice: DeliveryNotice) -> Key:
    """The ref and index of an id that no request has: a final `-digits` is the index."""
    return keys_of(notice.msgid)[-1]


def _has_rival(notice: DeliveryNotice, request: ProviderRequest, heap: Iterable[DeliveryNotice]) -> bool:
    """Whether a DN with another ref fits this very request and no other."""
    strange = (other for other in heap if _own_key(other)[0] != _own_key(notice)[0])
    return any(_fitting(other) == [request] for other in strange)


def _settle(request: ProviderRequest, ref: str, notice: DeliveryNotice, now: datetime) -> None:
    """The provider has all of it. What a person decided of a recipient stays."""
    request.ref, request.outcome, request.resolved_by = ref, Outcome.ACCEPTED, ResolvedBy.DN
    request.save(update_fields=["ref", "outcome", "resolved_by"])
    unknown = request.recipients.filter(outcome=Outcome.UNKNOWN)
    current = list(unknown.filter(superseded_at=None).values_list("message", flat=True))
    unknown.update(outcome=Outcome.ACCEPTED, resolved_by=ResolvedBy.DN, resolved_at=now)
    Message.objects.filter(pk__in=current, send_state=SendState.UNKNOWN).update(
        send_state=SendState.ACCEPTED, accepted_at=notice.received_at
    )
    recall_second_copies([request.pk], now)
    audit(actor=None, act="request.adopted", subject=request, now=now, ref=ref, notice=notice.pk)

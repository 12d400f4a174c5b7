"""Messages that failed, by what a person can do about them: by their DN, or by the answer that refused them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.db.models import Count, Q, QuerySet

from messaging.models import Campaign, Message
from messaging.providers.codes import DnClass, answer_code, dn_code
from messaging.statuses import DeliveryState, SendState


class ToDo(StrEnum):
    """What a person can do about a failure."""

    WAIT = "wait"
    LATER = "later"
    NUMBER = "number"
    TEXT = "text"
    ACCOUNT = "account"
    ALONE = "alone"


RETRYABLE = frozenset({ToDo.LATER, ToDo.TEXT, ToDo.ACCOUNT})  # for whom another try is worth something

# "SMS buffered": the carrier keeps it, and a second one would come beside it.
HELD_BY_THE_CARRIER = 556

ABOUT_DN: Mapping[DnClass, ToDo] = {
    DnClass.INTERMEDIATE: ToDo.WAIT,
    DnClass.TRANSIENT: ToDo.LATER,
    DnClass.HANDSET: ToDo.LATER,
    DnClass.NUMBER: ToDo.NUMBER,
    DnClass.CONTENT: ToDo.TEXT,
    DnClass.NO_CREDIT: ToDo.ACCOUNT,
    DnClass.WHITELIST: ToDo.ACCOUNT,
    DnClass.SENDER_ID: ToDo.ACCOUNT,
    DnClass.TECHNICAL: ToDo.ACCOUNT,
    DnClass.OPTED_OUT: ToDo.ALONE,
}
ABOUT_ANSWER = {400: ToDo.NUMBER, 405: ToDo.NUMBER, 406: ToDo.TEXT}


@dataclass(frozen=True, slots=True)
class Failure:
    """People of one campaign whose message failed in one way."""

    outcome: str  # undelivered or refused
    code: str  # the provider's, as it said it; may be empty
    people: int
    to_do: ToDo


def failures(campaign: Campaign, among: Q | None = None) -> list[Failure]:
    """Every way in which messages of this campaign failed, the ones with most people first; only `among` these."""
    counted = (
        _failed(campaign)
        .filter(among or Q())
        .values_list("send_state", "error_code")
        .annotate(people=Count("pk"))
        .order_by()
    )
    people: dict[tuple[str, str], int] = {}
    for send_state, code, n in counted:
        key = _outcome(send_state), code
        people[key] = people.get(key, 0) + n
    found = [Failure(outcome, code, n, _to_do(outcome, code)) for (outcome, code), n in people.items()]
    return sorted(found, key=lambda one: (-one.people, one.outcome, one.code))


def failed_rows(campaign: Campaign, to_do: ToDo) -> QuerySet[Message]:
    """The counted messages that failed so that this is to be done."""
    codes: dict[str, list[str]] = {SendState.REFUSED: [], DeliveryState.UNDELIVERED: []}
    for one in failures(campaign):
        if one.to_do is to_do:
            codes[one.outcome].append(one.code)
    refused = Q(send_state=SendState.REFUSED, error_code__in=codes[SendState.REFUSED])
    undelivered = Q(error_code__in=codes[DeliveryState.UNDELIVERED]) & ~Q(send_state=SendState.REFUSED)
    return _failed(campaign).filter(refused | undelivered)


def _failed(campaign: Campaign) -> QuerySet[Message]:
    """Their `error_code` is that of the answer which refused them for good, or of their last DN."""
    failed = Q(send_state=SendState.REFUSED) | Q(delivery_state=DeliveryState.UNDELIVERED)
    return campaign.messages.counted().filter(failed)


def _outcome(send_state: str) -> str:
    return SendState.REFUSED.value if send_state == SendState.REFUSED else DeliveryState.UNDELIVERED.value


def _to_do(outcome: str, raw: str) -> ToDo:
    if outcome == SendState.REFUSED:
        code = answer_code(raw).code
        return ABOUT_ANSWER.get(code, ToDo.ACCOUNT) if isinstance(code, int) else ToDo.ACCOUNT
    known = dn_code(raw)
    if known and known.code == HELD_BY_THE_CARRIER:
        return ToDo.WAIT
    return ABOUT_DN.get(known.kind, ToDo.LATER) if known else ToDo.LATER

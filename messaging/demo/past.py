"""Days that have passed: what people wrote, what left us, what the provider answered and reported, each at its time.

All of it takes the way of every message: calls are kept as bytes and digested, rows are claimed, decided at the gate
and recorded. Only the provider's side is made up, because the twin was not there yet.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode

from django.conf import settings

from messaging.connections import client_for
from messaging.ingest import digest_connection
from messaging.models import Connection, InboundRaw, ProviderRequest
from messaging.providers.answers import Answer, Outcome, read_answer
from messaging.providers.bulk360 import SendOutcome
from messaging.providers.codes import ANSWER_CODES
from messaging.sending.claim import Marks, claim
from messaging.sending.gate import gate
from messaging.sending.record import Answered, record

Kind = InboundRaw.Kind
FORM = "application/x-www-form-urlencoded"
PEER = "127.0.0.1"
OUR_NUMBER = "60360000360"
OK, LOST = 200, 0  # what is answered: a code of the provider's page, or nothing at all
BETWEEN = timedelta(milliseconds=137)  # two requests; their refs carry a microtime
ANSWERED_IN_S = 0.42
SENT_IN, FINAL_IN = timedelta(seconds=2), timedelta(seconds=5)
DELIVERED, NOTHING, SENT_ONLY = "000", "no notice", "020"  # how the delivery is reported; else an error code


@dataclass(frozen=True)
class Left:
    """One recipient of a request that the provider took."""

    msisdn: str
    ref: str
    at: datetime


def write_in(connection: Connection, *, sender: str, text: str, at: datetime, moid: str, channel: str) -> None:
    """Somebody wrote to us: the call as the twin makes it, kept and read."""
    fields = {"from": sender, "to": OUR_NUMBER, "text": text, "moid": moid, "time": at.isoformat(), "channel": channel}
    _keep(connection, Kind.MO, [(fields, at)])


def takes_all(_msisdn: str) -> int:
    """The answer of a provider that has nothing against anybody."""
    return OK


def send_due(connection: Connection, *, at: datetime, most: int = 1, answer: Callable[[str], int] = takes_all) -> int:
    """Send what is due, at most so many; how many rows were taken. `answer` gives the code for a number, or LOST."""
    claimed = claim(connection, limit=most, marks=Marks())
    requests = gate(connection.pk, claimed, free=most, now=at).requests
    for place, (request, msisdns) in enumerate(requests):
        code, posted_at = answer(msisdns[0]), at + place * BETWEEN
        outcome = _outcome(code, ref=f"78-{posted_at.timestamp():.4f}")
        took = timedelta(seconds=outcome.elapsed_s)
        record([Answered(request, len(msisdns), outcome, client_for(connection))], now=posted_at + took)
    return len(claimed.ids)


def _outcome(code: int, *, ref: str) -> SendOutcome:
    """The answer as bytes and as our client reads it; where none came, what the client says of that."""
    answer = Answer(outcome=Outcome.UNKNOWN, error="deadline passed")
    if code != LOST:
        content = {"code": code, "desc": ANSWER_CODES[code].provider_words} | ({"ref": ref} if code == OK else {})
        answer = read_answer(200, json.dumps(content).encode())
    return SendOutcome(
        outcome=answer.outcome,
        refusal_scope=answer.scope,
        stop=answer.stop,
        http_status=None if code == LOST else 200,
        code=answer.code,
        desc=answer.desc,
        ref=answer.ref,
        currency=answer.currency,
        balance=answer.balance,
        error=answer.error,
        elapsed_s=settings.PROVIDER_DEADLINE_S if code == LOST else ANSWERED_IN_S,
    )


def left_since(connection: Connection, since: datetime) -> list[Left]:
    """Whom the provider took a message for from then on. Each of these requests has one recipient."""
    requests = ProviderRequest.objects.filter(connection=connection, outcome="accepted", started_at__gte=since)
    rows = requests.order_by("answered_at").values_list("recipients__message__contact__msisdn", "ref", "answered_at")
    return [Left(msisdn, ref, at) for msisdn, ref, at in rows if msisdn and at]


def report(connection: Connection, left: Iterable[Left], fates: Mapping[str, str]) -> None:
    """Tell what became of these messages: delivered, unless `fates` says otherwise for a number."""
    notices = []
    for one in left:
        fate = fates.get(one.msisdn, DELIVERED)
        if fate != NOTHING:
            notices.append((_notice(one, "SENT", SENT_ONLY), one.at + SENT_IN))
        if fate not in (NOTHING, SENT_ONLY):
            final = "DELIVERED" if fate == DELIVERED else "UNDELIVERED"
            notices.append((_notice(one, final, fate), one.at + FINAL_IN))
    _keep(connection, Kind.DN, sorted(notices, key=lambda notice: notice[1]))


def _notice(one: Left, status: str, code: str) -> dict[str, str]:
    return {"status": status, "error-code": code, "msisdn": one.msisdn, "msgid": one.ref}


def _keep(connection: Connection, kind: Kind, calls: Iterable[tuple[dict[str, str], datetime]]) -> None:
    """What the hook does with calls, and the digest with what the hook kept."""
    InboundRaw.objects.bulk_create(
        InboundRaw(
            connection=connection,
            kind=kind,
            method="POST",
            content_type=FORM,
            body=urlencode(fields).encode(),
            peer=PEER,
            received_at=at,
        )
        for fields, at in calls
    )
    digest_connection(connection.pk, kind=kind)

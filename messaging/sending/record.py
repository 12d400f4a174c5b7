"""Write down what became of requests. Keyed by the request: a late answer is always welcome.

The request says what the provider answered; of each recipient, a person's earlier word stands against a refusal.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database
from django.db import transaction
from django.db.models.functions import Now

from messaging.clock import db_now
from messaging.connections import stop_connection
from messaging.models import Connection, ProviderApproval, ProviderRequest
from messaging.providers.answers import Outcome
from messaging.providers.bulk360 import Bulk360, SendOutcome
from messaging.providers.codes import Scope, answer_code
from messaging.recall import recall_second_copies
from messaging.sending.crash_points import crash_point

NOT_APPROVED = 406  # "Message content is not approved", Bulk360 WhatsApp API V3.0
BACKOFF = (
    timedelta(seconds=1),
    timedelta(seconds=5),
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
)

REQUESTS_SQL = """
UPDATE messaging_providerrequest r
SET outcome = d.outcome, resolved_by = 'response', answered_at = %(now)s, http_status = d.http_status, code = d.code,
    "desc" = d.desc, error = d.error, ref = d.ref
FROM unnest(%(ids)s::bigint[], %(outcomes)s::text[], %(http)s::int[], %(codes)s::text[], %(descs)s::text[],
            %(errors)s::text[], %(refs)s::text[]) AS d(id, outcome, http_status, code, "desc", error, ref)
WHERE r.id = d.id AND r.outcome IN ('in_flight', 'unknown')
RETURNING r.id
"""
LOCK_MESSAGES_SQL = """
SELECT m.id FROM messaging_message m JOIN messaging_requestrecipient t ON t.message_id = m.id
WHERE t.request_id = ANY (%s) ORDER BY m.id FOR NO KEY UPDATE OF m
"""
RECIPIENTS_SQL = """
UPDATE messaging_requestrecipient t SET outcome = r.outcome, resolved_by = 'response', resolved_at = %(now)s
FROM messaging_providerrequest r
WHERE r.id = t.request_id AND r.id = ANY (%(ids)s) AND t.outcome IN ('in_flight', 'unknown')
  AND (r.outcome = 'accepted' OR t.resolved_by <> 'person')
"""
MESSAGES_SQL = """
UPDATE messaging_message m
SET send_state = d.send_state,
    accepted_at = CASE WHEN d.send_state = 'accepted' THEN %(now)s ELSE m.accepted_at END,
    error_code = CASE WHEN d.send_state = 'refused' THEN r.code ELSE m.error_code END,
    claim_token = CASE WHEN d.send_state IN ('accepted', 'unknown') THEN m.claim_token END,
    lease_until = NULL,
    due_at = CASE WHEN d.wait IS NULL THEN m.due_at ELSE %(now)s + (%(waits)s::interval[])[least(m.tries, 4) + 1] END,
    tries = m.tries + CASE WHEN d.wait IS NULL THEN 0 ELSE 1 END,
    alone = m.alone OR d.alone
FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(waiting)s::bool[], %(alone)s::bool[])
         AS d(request_id, send_state, wait, alone)
JOIN messaging_requestrecipient t ON t.request_id = d.request_id AND t.superseded_at IS NULL
JOIN messaging_providerrequest r ON r.id = d.request_id
WHERE m.id = t.message_id AND m.claim_token = r.token AND m.send_state IN ('sending', 'unknown')
"""


@dataclass(frozen=True, slots=True)
class Answered:
    """One request and what the client says of it."""

    request: ProviderRequest
    recipients: int
    outcome: SendOutcome
    client: Bulk360


@dataclass(frozen=True, slots=True)
class _Consequence:
    """What an outcome means for the request's messages."""

    send_state: str
    waits: bool | None = None  # goes back to the queue with a growing wait
    alone: bool = False  # goes back by itself: nobody is refused for another's number


def _consequence(answered: Answered) -> _Consequence:
    outcome = answered.outcome
    match outcome.outcome:
        case Outcome.ACCEPTED:
            return _Consequence("accepted")
        case Outcome.NOT_SENT:
            return _Consequence("queued", waits=None if outcome.stop else True)
        case Outcome.REFUSED if outcome.refusal_scope is Scope.CONNECTION:
            return _Consequence("queued")
        case Outcome.REFUSED:
            return _Consequence("queued", alone=True) if answered.recipients > 1 else _Consequence("refused")
        case _:
            return _Consequence("unknown")


def record(answers: Sequence[Answered], *, now: datetime | None = None) -> None:
    """Commit these outcomes together, and stop the connection if one of them says so. Safe to repeat."""
    if not answers:
        return
    now = now or db_now()
    with transaction.atomic():
        _stop_connections(answers, now)
        with database.cursor() as cursor:
            cursor.execute(LOCK_MESSAGES_SQL, [sorted(one.request.pk for one in answers)])
            cursor.execute(REQUESTS_SQL, _request_values(answers, now))
            recorded = [row[0] for row in cursor.fetchall()]
            cursor.execute(RECIPIENTS_SQL, {"ids": recorded, "now": now})
            cursor.execute(MESSAGES_SQL, _message_values(answers, recorded, now))
        recall_second_copies(recorded, now)
        _doubt_refused(answers, now)
        crash_point("in_record")


def note_balance(answers: Sequence[Answered]) -> None:
    """Keep the account's balance as the last of these answers told it: the one before that request's charge."""
    told = [one for one in answers if one.outcome.balance is not None]
    if told:
        last = told[-1]
        Connection.objects.filter(pk=last.request.connection_id).update(
            balance=last.outcome.balance, balance_currency=last.outcome.currency[:3], balance_at=Now()
        )


def _stop_connections(answers: Iterable[Answered], now: datetime) -> None:
    """The connection's row comes first in the order of locks."""
    for one in answers:
        if one.outcome.stop:
            words = answer_code(one.outcome.code)
            stop_connection(
                connection_id=one.request.connection_id,
                state=str(one.outcome.stop),
                code=one.outcome.code if one.outcome.code is not None else one.outcome.http_status,
                detail=one.outcome.desc or str(words.words),
                now=now,
                client=one.client,
            )


def _request_values(answers: Iterable[Answered], now: datetime) -> dict[str, Any]:
    outcomes = [one.outcome for one in answers]
    return {
        "now": now,
        "ids": [one.request.pk for one in answers],
        "outcomes": [str(outcome.outcome) for outcome in outcomes],
        "http": [outcome.http_status for outcome in outcomes],
        "codes": ["" if outcome.code is None else str(outcome.code)[:16] for outcome in outcomes],
        "descs": [outcome.desc[:300] for outcome in outcomes],
        "errors": [outcome.error[:200] for outcome in outcomes],
        "refs": [outcome.ref for outcome in outcomes],
    }


def _message_values(answers: Iterable[Answered], recorded: list[int], now: datetime) -> dict[str, Any]:
    fates = {one.request.pk: _consequence(one) for one in answers if one.request.pk in set(recorded)}
    return {
        "now": now,
        "waits": list(BACKOFF),
        "ids": list(fates),
        "states": [fate.send_state for fate in fates.values()],
        "waiting": [fate.waits for fate in fates.values()],
        "alone": [fate.alone for fate in fates.values()],
    }


def _doubt_refused(answers: Iterable[Answered], now: datetime) -> None:
    """A 406 on a template: what the provider is said to have approved is doubted until somebody looks."""
    for one in answers:
        if one.outcome.code != NOT_APPROVED or one.request.lane != "template" or one.recipients > 1:
            continue
        versions = one.request.recipients.values_list(
            "message__campaign__template_version", "message__template_version"
        )
        for version_id in {version for pair in versions for version in pair if version}:
            ProviderApproval.objects.filter(version=version_id, connection=one.request.connection_id).update(
                state=ProviderApproval.State.DOUBTED, evidence=f"406: {one.outcome.desc}", at=now
            )

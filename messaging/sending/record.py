"""Write down what became of requests. Keyed by the request: a late answer is always welcome.

The request says what the provider answered; of each recipient, a person's earlier word stands against a refusal.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from config.statements import prepared_cursor
from messaging.clock import db_now
from messaging.connections import BALANCE_LIMIT, stop_connection
from messaging.doubts import doubt_version
from messaging.models import Connection, ProviderRequest
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

LOCK_MESSAGES_SQL = """
SELECT m.id FROM messaging_message m JOIN messaging_requestrecipient t ON t.message_id = m.id
WHERE t.request_id = ANY (%s) ORDER BY m.id FOR NO KEY UPDATE OF m
"""
RECORD_SQL = """
WITH answered AS MATERIALIZED (
    SELECT d.*, coalesce(%(now)s::timestamptz, clock_timestamp()) AS now FROM json_to_recordset(%(answers)s) AS d(
        id bigint, outcome text, http_status int, code text, "desc" text, error text, ref text, send_state text,
        waits bool, alone bool)
), recorded AS (
    UPDATE messaging_providerrequest r
    SET outcome = d.outcome, resolved_by = 'response', answered_at = d.now, http_status = d.http_status, code = d.code,
        "desc" = d."desc", error = d.error, ref = d.ref
    FROM answered d WHERE r.id = d.id AND r.outcome IN ('in_flight', 'unknown')
    RETURNING r.id, r.token
), recipients AS (
    UPDATE messaging_requestrecipient t SET outcome = d.outcome, resolved_by = 'response', resolved_at = d.now
    FROM answered d JOIN recorded USING (id)
    WHERE t.request_id = d.id AND t.outcome IN ('in_flight', 'unknown')
      AND (d.outcome = 'accepted' OR t.resolved_by <> 'person')
), messages AS (
    UPDATE messaging_message m
    SET send_state = d.send_state,
        accepted_at = CASE WHEN d.send_state = 'accepted' THEN d.now ELSE m.accepted_at END,
        error_code = CASE WHEN d.send_state = 'refused' THEN d.code ELSE m.error_code END,
        claim_token = CASE WHEN d.send_state IN ('accepted', 'unknown') THEN m.claim_token END,
        lease_until = NULL,
        due_at = CASE WHEN d.waits IS NULL THEN m.due_at
                 ELSE d.now + (%(waits)s::interval[])[least(m.tries, 4) + 1] END,
        tries = m.tries + CASE WHEN d.waits IS NULL THEN 0 ELSE 1 END,
        alone = m.alone OR d.alone
    FROM answered d JOIN recorded USING (id)
    JOIN messaging_requestrecipient t ON t.request_id = d.id AND t.superseded_at IS NULL
    WHERE m.id = t.message_id AND m.claim_token = recorded.token AND m.send_state IN ('sending', 'unknown')
    RETURNING m.id
)
SELECT array (SELECT id FROM recorded), (SELECT count(*) FROM messages)
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
    with transaction.atomic():
        _stop_connections(answers, now)
        with prepared_cursor() as cursor:
            cursor.execute(LOCK_MESSAGES_SQL, [sorted(one.request.pk for one in answers)])
            cursor.execute(RECORD_SQL, {"now": now, "waits": list(BACKOFF), "answers": json.dumps(_rows(answers))})
            ((recorded, messages),) = cursor.fetchall()
        if messages < sum(one.recipients for one in answers):  # else each was the one live copy of its message
            recall_second_copies(recorded, now or db_now())
        _doubt_refused(answers, now)
        crash_point("in_record")


def note_balance(answers: Sequence[Answered]) -> None:
    """Keep the account's balance as the last of these answers told it: the one before that request's charge."""
    told = [one for one in answers if one.outcome.balance is not None and abs(one.outcome.balance) < BALANCE_LIMIT]
    if told:
        last = told[-1]
        Connection.objects.filter(pk=last.request.connection_id).update(
            balance=last.outcome.balance, balance_currency=last.outcome.currency[:3], balance_at=Now()
        )


def _stop_connections(answers: Iterable[Answered], now: datetime | None) -> None:
    """The connection's row comes first in the order of locks."""
    for one in answers:
        if one.outcome.stop:
            words = answer_code(one.outcome.code)
            stop_connection(
                connection_id=one.request.connection_id,
                state=str(one.outcome.stop),
                code=one.outcome.code if one.outcome.code is not None else one.outcome.http_status,
                detail=one.outcome.desc or str(words.words),
                now=now or db_now(),
                client=one.client,
            )


def _rows(answers: Iterable[Answered]) -> list[dict[str, Any]]:
    return [
        {
            "id": one.request.pk,
            "outcome": one.outcome.outcome,
            "http_status": one.outcome.http_status,
            "code": "" if one.outcome.code is None else str(one.outcome.code)[:16],
            "desc": one.outcome.desc[:300],
            "error": one.outcome.error[:200],
            "ref": one.outcome.ref,
            **asdict(_consequence(one)),
        }
        for one in answers
    ]


def _doubt_refused(answers: Iterable[Answered], now: datetime | None) -> None:
    """A 406 on a template: what the provider is said to have approved is doubted until somebody looks."""
    for one in answers:
        if one.outcome.code != NOT_APPROVED or one.request.lane != "template" or one.recipients > 1:
            continue
        versions = one.request.recipients.values_list(
            "message__campaign__template_version", "message__template_version"
        )
        for version_id in {version for pair in versions for version in pair if version}:
            evidence = f"{NOT_APPROVED}: {one.outcome.desc}"
            doubt_version(
                version_id=version_id, connection_id=one.request.connection_id, evidence=evidence, now=now or db_now()
            )

"""The gate: one short transaction just before the requests. What passes it may leave; nothing leaves without it."""

from __future__ import annotations

import json
import operator
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction

from config.statements import prepared_cursor
from messaging.clock import db_now
from messaging.facts import Prepared, prepare
from messaging.models import Campaign, Connection, ProviderRequest
from messaging.policy import Lane, Reason, Verdict
from messaging.providers.packing import pack
from messaging.sending.claim import Claim, release
from messaging.sending.crash_points import crash_point
from messaging.sending.due import Due, lock_due
from messaging.sending.intent import Passed, write_intent
from messaging.sending.sources import load_sources
from messaging.sending.tampering import stop_tampered

LEAVING = (Campaign.State.PREPARING, Campaign.State.RUNNING)  # what is queued of them may leave
UNAPPROVED = (Campaign.State.DRAFT, Campaign.State.IN_REVIEW)  # no test of them may, whatever it was made of

DURABLY_SQL = """
SELECT set_config('synchronous_commit', 'on', true), daily_cap IS NULL AND NOT EXISTS (
    SELECT 1 FROM messaging_campaign t
    WHERE t.connection_id = c.id AND t.state IN ('preparing', 'running') AND t.retry_of_id IS NOT NULL)
FROM messaging_connection c WHERE c.id = %s
"""
LOCK_CONTACTS_SQL = """
SELECT c.id FROM contacts_contact c
WHERE c.id IN (SELECT contact_id FROM messaging_message WHERE id = ANY (%s))
ORDER BY c.id FOR {strength} SKIP LOCKED
"""
STOPPED_SQL = """
UPDATE messaging_message m
SET send_state = d.send_state, lane = d.lane, reason = d.reason, facts = d.facts, claim_token = NULL,
    lease_until = NULL, held_for = d.held_for, held_until = d.held_until, timeline_at = %(now)s
FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(lanes)s::text[], %(reasons)s::text[], %(facts)s::jsonb[],
            %(held_for)s::text[], %(held_until)s::timestamptz[])
     AS d(id, send_state, lane, reason, facts, held_for, held_until)
WHERE m.id = d.id
"""


@dataclass(slots=True)
class Gated:
    """What the gate let through, as committed requests with their numbers, and how many rows it did not use."""

    connection: Connection  # as the gate saw it
    requests: list[tuple[ProviderRequest, list[str]]] = field(default_factory=list)
    unused: int = 0
    stopped: int = 0  # held, skipped or expired here

    @property
    def recipients(self) -> int:
        return sum(len(msisdns) for _, msisdns in self.requests)


def gate(connection_id: int, claim: Claim, *, free: int, now: datetime | None = None) -> Gated:
    """Decide each claimed row on the facts of this instant and commit the intent of at most `free` requests.

    Contacts are locked first and facts read in the next statement, so an opt-out that committed before is seen and one
    that comes later waits. Rows that cannot go now return to queued, uncounted.
    """
    with transaction.atomic():
        reachable = _lock_contacts(connection_id, claim.ids)
        ours = lock_due(claim.ids, claim.token)
        connection = load_sources(ours, connection_id)
        now = now or db_now()
        messages = _allowed([one for one in ours if one.contact_id in reachable], connection, now)
        passed, stopped = _decide(messages, connection, now)
        requests = _pack(passed, connection)[:free]
        gone = {one.message.pk for group in requests for one in group}
        settled = gone | {message.pk for message, *_ in stopped}
        committed = write_intent(connection, claim.token, requests, now)
        _write_stopped(stopped, now)
        release(claim.token, {one.pk for one in ours} - settled)
        crash_point("in_gate")
        return Gated(connection, committed, len(claim.ids) - len(gone), len(stopped))


def _lock_contacts(connection_id: int, message_ids: list[int]) -> set[int]:
    """The people of these messages whom nobody else holds. Whatever this transaction commits waits for the disk."""
    with prepared_cursor() as cursor:
        cursor.execute(DURABLY_SQL, [connection_id])
        ((_, shared),) = cursor.fetchall()
        # Gates may share a person, unless they look at what else the person gets: then one at a time.
        cursor.execute(LOCK_CONTACTS_SQL.format(strength="SHARE" if shared else "NO KEY UPDATE"), [message_ids])
        return {row[0] for row in cursor.fetchall()}


def _allowed(messages: list[Due], connection: Connection, now: datetime) -> list[Due]:
    """Without those that wait: for their connection, for their campaign, or because a text is not the approved one."""
    if connection.state != Connection.State.OK or not messages:
        return []
    return stop_tampered([message for message in messages if _may_leave(message)], now)


def _may_leave(message: Due) -> bool:
    if message.test_of:
        return message.test_of.state not in UNAPPROVED
    return message.campaign is None or message.campaign.state in LEAVING


def _decide(
    messages: list[Due], connection: Connection, now: datetime
) -> tuple[list[Passed], list[tuple[Due, Prepared, Verdict]]]:
    passed: list[Passed] = []
    stopped: list[tuple[Due, Prepared, Verdict]] = []
    taken: Counter[int] = Counter()
    for message, prepared in zip(messages, prepare(messages, connection=connection, now=now, queued=True), strict=True):
        if prepared is None:
            continue
        verdict = prepared.decide(now, taken=taken[message.contact_id])
        if verdict.sends:
            taken[message.contact_id] += prepared.room is not None
            assert prepared.person.msisdn is not None  # the rule skips people without a number
            text = prepared.texts[verdict.lane]
            passed.append(Passed(message, prepared, verdict, text, prepared.person.msisdn))
        elif not (
            verdict.reason == Reason.CAPPED and taken[message.contact_id]
        ):  # the next wave knows what left in this
            stopped.append((message, prepared, verdict))
    return passed, stopped


def _pack(passed: Iterable[Passed], connection: Connection) -> list[list[Passed]]:
    """Messages with the same lane and text share a request, as far as `to` reaches; singles go first."""
    groups: dict[tuple[Lane, str, int], list[Passed]] = defaultdict(list)
    for one in passed:
        groups[one.verdict.lane, one.text, one.message.pk if one.message.alone else 0].append(one)
    requests = [
        request
        for (lane, _, _), members in groups.items()
        for packed in pack(lane.channel, members, operator.attrgetter("msisdn"))
        for request in _slices(packed, connection.recipients_per_request)
    ]
    return sorted(requests, key=lambda request: request[0].message.campaign_id is not None)


def _slices(group: list[Passed], size: int) -> Iterator[list[Passed]]:
    for start in range(0, len(group), size):
        yield group[start : start + size]


def _write_stopped(stopped: list[tuple[Due, Prepared, Verdict]], now: datetime) -> None:
    if not stopped:
        return
    with prepared_cursor() as cursor:
        cursor.execute(
            STOPPED_SQL,
            {
                "now": now,
                "ids": [message.pk for message, *_ in stopped],
                "states": [verdict.lane for *_, verdict in stopped],  # held, skipped and expired are states by name
                "lanes": ["skipped" if verdict.lane is Lane.SKIPPED else "" for *_, verdict in stopped],
                "reasons": [verdict.reason for *_, verdict in stopped],
                "facts": [json.dumps(verdict.facts(prepared.facts)) for _, prepared, verdict in stopped],
                "held_for": [verdict.reason if verdict.lane is Lane.HELD else "" for *_, verdict in stopped],
                "held_until": [verdict.until for *_, verdict in stopped],
            },
        )

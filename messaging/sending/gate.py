"""The gate: one short transaction just before the requests. What passes it may leave; nothing leaves without it."""

from __future__ import annotations

import json
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection as database
from django.db import transaction

from contacts.addresses import address_hmac
from messaging.campaigns import UNIT_SEPARATOR
from messaging.clock import db_now
from messaging.facts import Prepared, prepare
from messaging.models import Campaign, Connection, Message, ProviderRequest, RequestRecipient, TemplateVersion
from messaging.planning import sms_parts
from messaging.policy import Lane, Reason, Verdict
from messaging.providers.packing import pack
from messaging.sending.claim import Claim
from messaging.sending.crash_points import crash_point
from messaging.sending.tampering import stop_tampered

LEASE_AFTER_DEADLINE = timedelta(seconds=5)

LOCK_CONTACTS_SQL = """
SELECT c.id FROM contacts_contact c
WHERE c.id IN (SELECT contact_id FROM messaging_message WHERE id = ANY (%s))
ORDER BY c.id FOR {strength} SKIP LOCKED
"""
LOCK_MESSAGES_SQL = """
SELECT id FROM messaging_message
WHERE id = ANY (%s) AND claim_token = %s AND send_state = 'claimed' AND lease_until > clock_timestamp()
ORDER BY id FOR NO KEY UPDATE
"""
SENDING_SQL = """
UPDATE messaging_message m
SET send_state = 'sending', lease_until = %(lease)s, timeline_at = %(now)s, lane = d.lane, channel = d.channel,
    reason = d.reason, facts = d.facts, parts = d.parts, held_for = '', held_until = NULL
FROM unnest(%(ids)s::bigint[], %(lanes)s::text[], %(channels)s::text[], %(reasons)s::text[], %(facts)s::jsonb[],
            %(parts)s::int[]) AS d(id, lane, channel, reason, facts, parts)
WHERE m.id = d.id
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
RELEASE_SQL = """
UPDATE messaging_message SET send_state = 'queued', claim_token = NULL, lease_until = NULL WHERE id = ANY (%s)
"""


@dataclass(frozen=True, slots=True)
class Passed:
    """One message that may leave: its lane, text and number."""

    message: Message
    prepared: Prepared
    verdict: Verdict

    @property
    def msisdn(self) -> str:
        assert self.prepared.person.msisdn is not None  # the rule skips people without a number
        return self.prepared.person.msisdn

    @property
    def text(self) -> str:
        return self.prepared.texts[self.verdict.lane]


@dataclass(slots=True)
class Gated:
    """What the gate let through, as committed requests with their numbers, and how many rows it did not use."""

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
        connection = Connection.objects.get(pk=connection_id)
        with database.cursor() as cursor:
            cursor.execute("SET LOCAL synchronous_commit = on")
            cursor.execute(LOCK_CONTACTS_SQL.format(strength=_strength(connection)), [claim.ids])
            reachable = {row[0] for row in cursor.fetchall()}
            cursor.execute(LOCK_MESSAGES_SQL, [claim.ids, claim.token])
            ours = [row[0] for row in cursor.fetchall()]
        connection.refresh_from_db()
        now = now or db_now()
        messages = [message for message in _load(ours, connection) if message.contact_id in reachable]
        messages = _allowed(messages, connection, now)
        passed, stopped = _decide(messages, connection, now)
        requests = _pack(passed, connection)[:free]
        gone = {one.message.pk for group in requests for one in group}
        settled = gone | {message.pk for message, *_ in stopped}
        result = Gated(_intend(connection, claim.token, requests, now), len(claim.ids) - len(gone), len(stopped))
        _write_stopped(stopped, now)
        with database.cursor() as cursor:
            cursor.execute(RELEASE_SQL, [sorted(set(ours) - settled)])
        crash_point("in_gate")
        return result


def _strength(connection: Connection) -> str:
    """Gates may share a person, unless they count what the person gets: then one at a time."""
    return "SHARE" if connection.daily_cap is None else "NO KEY UPDATE"


def _load(ids: Sequence[int], connection: Connection) -> list[Message]:
    """The rows with what their texts come from. Its messages share one campaign object."""
    messages = list(Message.objects.filter(pk__in=ids).order_by("pk"))
    campaign_ids = {pk for message in messages for pk in (message.campaign_id, message.test_of_id) if pk}
    campaigns = Campaign.objects.select_related("connection", "template_version").in_bulk(campaign_ids)
    versions = TemplateVersion.objects.in_bulk({m.template_version_id for m in messages if m.template_version_id})
    answered = Message.objects.in_bulk({message.answers_id for message in messages if message.answers_id})
    for message in messages:
        message.connection = connection
        message.campaign = campaigns.get(message.campaign_id or 0)
        message.test_of = campaigns.get(message.test_of_id or 0)
        message.template_version = versions.get(message.template_version_id or 0)
        message.answers = answered.get(message.answers_id or 0)
    return messages


def _allowed(messages: list[Message], connection: Connection, now: datetime) -> list[Message]:
    """Without those that wait: for their connection, for their campaign, or because a text is not the approved one."""
    if connection.state != Connection.State.OK:
        return []
    running = [
        message for message in messages if message.campaign is None or message.campaign.state == Campaign.State.RUNNING
    ]
    return stop_tampered(running, UNIT_SEPARATOR, now)


def _decide(
    messages: list[Message], connection: Connection, now: datetime
) -> tuple[list[Passed], list[tuple[Message, Prepared, Verdict]]]:
    passed: list[Passed] = []
    stopped: list[tuple[Message, Prepared, Verdict]] = []
    taken: Counter[int] = Counter()
    for message, prepared in zip(messages, prepare(messages, connection=connection, now=now, queued=True), strict=True):
        if prepared is None:
            continue
        verdict = prepared.decide(now, taken=taken[message.contact_id])
        if verdict.sends:
            taken[message.contact_id] += prepared.room is not None
            passed.append(Passed(message, prepared, verdict))
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
        for packed in pack(lane.channel, members, lambda one: one.msisdn)
        for request in _slices(packed, connection.recipients_per_request)
    ]
    return sorted(requests, key=lambda request: request[0].message.campaign_id is not None)


def _slices(group: list[Passed], size: int) -> Iterator[list[Passed]]:
    for start in range(0, len(group), size):
        yield group[start : start + size]


def _intend(
    connection: Connection, token: uuid.UUID, requests: list[list[Passed]], now: datetime
) -> list[tuple[ProviderRequest, list[str]]]:
    """Write the requests, their recipients and the messages' new state; the caller's commit makes it the intent."""
    deadline = now + timedelta(seconds=settings.FIRST_BYTE_S + settings.PROVIDER_DEADLINE_S)
    rows = ProviderRequest.objects.bulk_create(
        ProviderRequest(
            connection=connection,
            token=token,
            channel=group[0].verdict.lane.channel,
            lane=group[0].verdict.lane,
            text=group[0].text,
            started_at=now,
            deadline=deadline,
        )
        for group in requests
    )
    RequestRecipient.objects.bulk_create(
        RequestRecipient(request=row, message=one.message, position=position, address_hmac=address_hmac(one.msisdn))
        for row, group in zip(rows, requests, strict=True)
        for position, one in enumerate(group)
    )
    _write_sending([one for group in requests for one in group], deadline + LEASE_AFTER_DEADLINE, now)
    return [(row, [one.msisdn for one in group]) for row, group in zip(rows, requests, strict=True)]


def _write_sending(passed: list[Passed], lease: datetime, now: datetime) -> None:
    with database.cursor() as cursor:
        cursor.execute(
            SENDING_SQL,
            {
                "lease": lease,
                "now": now,
                "ids": [one.message.pk for one in passed],
                "lanes": [one.verdict.lane for one in passed],
                "channels": [one.verdict.lane.channel for one in passed],
                "reasons": [one.verdict.reason for one in passed],
                "facts": [json.dumps(one.verdict.facts(one.prepared.facts)) for one in passed],
                "parts": [sms_parts(one.verdict.lane, one.text, one.msisdn) for one in passed],
            },
        )


def _write_stopped(stopped: list[tuple[Message, Prepared, Verdict]], now: datetime) -> None:
    if not stopped:
        return
    with database.cursor() as cursor:
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

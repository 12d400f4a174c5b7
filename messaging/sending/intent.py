"""The intent in one statement: requests, their recipients and the messages' new state. The caller commits it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from config.statements import prepared_cursor
from contacts.addresses import address_hmac
from messaging.facts import Prepared
from messaging.models import Connection, ProviderRequest
from messaging.planning import sms_parts
from messaging.policy import Verdict
from messaging.sending.due import Due

LEASE_AFTER_DEADLINE = timedelta(seconds=5)

INTENT_SQL = """
WITH asked AS MATERIALIZED (
    SELECT nextval(pg_get_serial_sequence('messaging_providerrequest', 'id')) AS id, gen_random_uuid() AS public_id, r.*
    FROM json_to_recordset(%(requests)s) AS r(place int, channel text, lane text, reason text, "text" text)
), members AS MATERIALIZED (
    SELECT asked.id AS request_id, asked.channel, asked.lane, asked.reason, m.*
    FROM json_to_recordset(%(members)s) AS m(place int, "position" int, id bigint, hmac text, facts jsonb, parts int)
    JOIN asked USING (place)
), requests AS (
    INSERT INTO messaging_providerrequest (id, public_id, connection_id, token, channel, lane, "text", started_at,
        deadline, outcome, resolved_by, code, "desc", error, ref)
    SELECT id, public_id, %(connection)s, %(token)s, channel, lane, "text", %(now)s, %(deadline)s, 'in_flight', '', '',
        '', '', '' FROM asked
), recipients AS (
    INSERT INTO messaging_requestrecipient (request_id, message_id, "position", address_hmac, outcome, resolved_by)
    SELECT request_id, id, "position", decode(hmac, 'hex'), 'in_flight', '' FROM members
), sending AS (
    UPDATE messaging_message m
    SET send_state = 'sending', lease_until = %(lease)s, timeline_at = %(now)s, lane = d.lane, channel = d.channel,
        reason = d.reason, facts = d.facts, parts = d.parts, held_for = '', held_until = NULL
    FROM members d WHERE m.id = d.id
)
SELECT id, public_id FROM asked ORDER BY place
"""


@dataclass(frozen=True, slots=True)
class Passed:
    """One message that may leave: its lane, text and number."""

    message: Due
    prepared: Prepared
    verdict: Verdict
    text: str
    msisdn: str


def write_intent(
    connection: Connection, token: UUID, groups: Sequence[Sequence[Passed]], now: datetime
) -> list[tuple[ProviderRequest, list[str]]]:
    """One request for each group, with its numbers in the order of their positions."""
    if not groups:
        return []
    deadline = now + timedelta(seconds=settings.FIRST_BYTE_S + settings.PROVIDER_DEADLINE_S)
    values: dict[str, Any] = {
        "connection": connection.pk,
        "token": token,
        "now": now,
        "deadline": deadline,
        "lease": deadline + LEASE_AFTER_DEADLINE,
        "requests": json.dumps([_request(place, group[0]) for place, group in enumerate(groups)]),
        "members": json.dumps(list(_members(groups))),
    }
    with prepared_cursor() as cursor:
        cursor.execute(INTENT_SQL, values)
        keys = cursor.fetchall()
    return [
        (
            ProviderRequest(
                pk=pk, public_id=public_id, connection=connection, token=token, channel=group[0].verdict.lane.channel,
                lane=group[0].verdict.lane, text=group[0].text, started_at=now, deadline=deadline,
            ),
            [one.msisdn for one in group],
        )
        for (pk, public_id), group in zip(keys, groups, strict=True)
    ]  # fmt: skip


def _request(place: int, one: Passed) -> dict[str, Any]:
    lane = one.verdict.lane
    return {"place": place, "channel": lane.channel, "lane": lane, "reason": one.verdict.reason, "text": one.text}


def _members(groups: Sequence[Sequence[Passed]]) -> Iterable[dict[str, Any]]:
    for place, group in enumerate(groups):
        for position, one in enumerate(group):
            yield {
                "place": place,
                "position": position,
                "id": one.message.pk,
                "hmac": (one.prepared.person.address_hmac or address_hmac(one.msisdn)).hex(),
                "facts": one.verdict.facts(one.prepared.facts),
                "parts": sms_parts(one.verdict.lane, one.text, one.msisdn),
            }

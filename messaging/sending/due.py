"""The claimed rows as the gate needs them: few columns, since it reads thousands a second."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from config.statements import prepared_cursor
from messaging.models import Campaign, Connection, Message, TemplateVersion

LOCK_SQL = """
SELECT id, contact_id, campaign_id, test_of_id, template_version_id, answers_id, purpose, body, variables, channel,
       window_waived, until_reply, not_after, alone
FROM messaging_message
WHERE id = ANY (%s) AND claim_token = %s AND send_state = 'claimed' AND lease_until > clock_timestamp()
ORDER BY id FOR NO KEY UPDATE
"""


@dataclass(slots=True)
class Due:
    """One claimed MT. What it points at is loaded by sources.py; those of a campaign share its object."""

    pk: int
    contact_id: int
    campaign_id: int | None
    test_of_id: int | None
    template_version_id: int | None
    answers_id: int | None
    purpose: str
    body: str
    variables: dict[str, str]
    channel: str
    window_waived: bool
    until_reply: bool
    not_after: datetime | None
    alone: bool
    connection: Connection = field(init=False)
    campaign: Campaign | None = None
    test_of: Campaign | None = None
    template_version: TemplateVersion | None = None
    answers: Message | None = None


def lock_due(ids: list[int], token: UUID) -> list[Due]:
    """Those rows that are still this claim's, locked until the transaction ends."""
    with prepared_cursor() as cursor:
        cursor.execute(LOCK_SQL, [ids, token])
        return [_due(row) for row in cursor.fetchall()]


def _due(row: tuple[Any, ...]) -> Due:
    one = Due(*row)
    one.variables = _object(one.variables)
    return one


def _object(value: str | dict[str, str]) -> dict[str, str]:
    """Django's cursor leaves JSON as its text."""
    return json.loads(value) if isinstance(value, str) else value

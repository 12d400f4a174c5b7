"""One message on its own: what the inbox, REST and the door have in common, and the way in for other systems."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection as database
from django.db import transaction
from django.utils.functional import Promise

from contacts.directory import upsert_contact
from contacts.models import Purpose
from messaging.errors import Refused
from messaging.facts import Prepared, prepare
from messaging.models import ApiClient, Connection, Message, TemplateVersion
from messaging.planning import sms_parts
from messaging.policy import Lane, Verdict
from messaging.reasons import reason_words
from messaging.statuses import Channel, SendState
from messaging.text import normalize_body, storable

TOUCH_SQL = """
INSERT INTO messaging_conversation AS c
       (public_id, contact_id, connection_id, channel, last_message_at, unread, asks_to_stop, version)
VALUES (gen_random_uuid(), %s, %s, %s, %s, 0, false, 1)
ON CONFLICT (contact_id, connection_id, channel)
DO UPDATE SET version = c.version + 1, last_message_at = greatest(c.last_message_at, excluded.last_message_at)
"""


class MessageRefused(Refused):
    """The rule says no: `code` is its reason. Nothing is queued."""

    def __init__(self, verdict: Verdict, words: str | Promise, **detail: Any) -> None:
        super().__init__(words, **detail)
        self.code = str(verdict.reason)
        self.verdict = verdict


@dataclass(frozen=True, slots=True)
class Submitted:
    """What became of one message; in a dry run the message is not saved, and may be a skipped one."""

    message: Message
    prepared: Prepared
    verdict: Verdict


@transaction.atomic
def submit(
    *,
    to: str,
    connection: Connection,
    now: datetime,
    channel: Channel | None = None,
    text: str = "",
    template_version: TemplateVersion | None = None,
    variables: Mapping[str, str] | None = None,
    purpose: str = Purpose.SERVICE,
    reference: str = "",
    client: ApiClient | None = None,
    window_waived: bool = False,
    dry_run: bool = False,
) -> Submitted:
    """Queue a free text (WhatsApp unless `channel` is sms) or a template to these digits; the edge then nudges.

    The person is made if the number is new. Raises MessageRefused; a dry run returns that verdict and leaves no trace.
    """
    contact, _new = upsert_contact(msisdn=to)
    message = Message(
        contact=contact,
        connection=connection,
        client=client,
        channel=channel or Channel.WHATSAPP,
        body=normalize_body(storable(text)),
        template_version=template_version,
        variables=dict(variables or {}),
        purpose=purpose,
        reference=reference,
        window_waived=window_waived,
        timeline_at=now,
    )
    prepared, verdict = decide(message, now)
    if dry_run:
        transaction.set_rollback(True)
    elif verdict.lane is Lane.SKIPPED:
        facts = verdict.facts(prepared.facts)
        raise MessageRefused(verdict, reason_words(verdict.reason), lane=str(verdict.lane), facts=facts)
    else:
        message.save()
        touch_conversation(message)
    return Submitted(message, prepared, verdict)


def decide(message: Message, now: datetime) -> tuple[Prepared, Verdict]:
    """Ask the rule and write its answer into the unsaved message. The gate asks again."""
    (prepared,) = prepare([message], connection=message.connection, now=now, queued=False)
    assert prepared is not None
    verdict = prepared.decide(now)
    message.planned_lane, message.planned_reason = verdict.lane, verdict.reason
    message.facts = verdict.facts(prepared.facts)
    if verdict.lane is Lane.HELD:
        message.send_state = SendState.HELD
        message.held_for, message.held_until = verdict.reason, verdict.until
    else:
        message.send_state = SendState.QUEUED if verdict.sends else SendState.SKIPPED
        message.lane, message.reason = verdict.lane, verdict.reason
        message.parts = sms_parts(verdict.lane, prepared.texts.get(verdict.lane, ""), prepared.person.msisdn)
    return prepared, verdict


def touch_conversation(message: Message) -> None:
    """What other systems write is part of the conversation, but answers nobody: unread stays as it is."""
    with database.cursor() as cursor:
        cursor.execute(TOUCH_SQL, [message.contact_id, message.connection_id, message.channel, message.timeline_at])

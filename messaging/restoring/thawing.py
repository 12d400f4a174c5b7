"""A person agrees to go on after a restore: what may have left since the backup becomes unknown, never queued again."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import User
from django.db import connection as database
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from contacts.addresses import address_hmac
from messaging import campaigns
from messaging.connections import resume_connection
from messaging.errors import WrongState
from messaging.facts import Prepared, prepare
from messaging.models import (
    Campaign,
    Connection,
    KnownDatabase,
    Message,
    Outcome,
    ProviderRequest,
    RequestRecipient,
    ResolvedBy,
)
from messaging.policy import SENDING_LANES, Lane
from messaging.statuses import SendState

CHUNK = 500
# A campaign that was paused while it was being prepared may have gone on: its planned rows too.
MAYBE_SENT = Q(send_state__in=[SendState.QUEUED, SendState.CLAIMED, SendState.HELD]) | Q(
    send_state=SendState.PLANNED, campaign__state=Campaign.State.PAUSED
)
YET_TO_BEGIN = (Campaign.State.IN_REVIEW, Campaign.State.APPROVED, Campaign.State.SCHEDULED)
NOTED_EVERY = "10 seconds"

SEEN_SQL = f"""
UPDATE messaging_knowndatabase SET seen_at = clock_timestamp()
WHERE seen_at < clock_timestamp() - interval '{NOTED_EVERY}'
"""
UNKNOWN_SQL = """
UPDATE messaging_message m
SET send_state = 'unknown', lane = d.lane, channel = d.channel, claim_token = d.token, lease_until = NULL,
    held_for = '', held_until = NULL
FROM unnest(%(ids)s::bigint[], %(lanes)s::text[], %(channels)s::text[], %(tokens)s::uuid[])
     AS d(id, lane, channel, token)
WHERE m.id = d.id
"""


@dataclass(frozen=True, slots=True)
class Preview:
    """What a person should know before they agree."""

    doubtful: int  # rows that will be unknown
    lost_since: datetime | None
    approved: list[str]  # campaigns yet to begin, which may have been launched since the backup was made


def note_seen(_now: datetime) -> int:
    """Tick: write down that the database is alive now, so that its backup knows its own age."""
    with database.cursor() as cursor:
        cursor.execute(SEEN_SQL)
    return 0


def thaw_preview(connection: Connection) -> Preview:
    lost_since = KnownDatabase.objects.values_list("lost_since", flat=True).first()
    waiting = Campaign.objects.filter(connection=connection, state__in=YET_TO_BEGIN)
    names = list(waiting.order_by("name").values_list("name", flat=True))
    return Preview(_doubtful(connection).count(), lost_since, names)


def thaw(*, connection: Connection, user: User, now: datetime) -> int:
    """Resume a frozen connection; how many rows became unknown.

    Chunk by chunk: whoever is cut off in the middle finds the connection frozen still, and goes on.
    """
    if connection.state != Connection.State.FROZEN:
        raise WrongState(_("This connection is not frozen."))
    campaigns.start_due(now)  # what was due to begin may have begun before the restore
    total, after = 0, 0
    while chunk := list(_doubtful(connection).filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:CHUNK]):
        total, after = total + _doubt(connection, chunk, now), chunk[-1]
    resume_connection(connection=connection, user=user, now=now, compared=True)
    return total


def _doubtful(connection: Connection) -> QuerySet[Message]:
    """MTs from before the restore that may have left since the backup: all but what people or clocks exclude.

    A hold is a clock's word only if it was decided before the restore: what started since then may have left before.
    """
    frozen_at = connection.state_since
    launched_since = Q(campaign__launched_at__gte=frozen_at) | Q(campaign__send_at__gt=frozen_at)
    not_yet_due = Q(due_at__gt=frozen_at) | Q(held_until__gt=frozen_at, timeline_at__lt=frozen_at)
    rows = Message.objects.mts().filter(MAYBE_SENT, connection=connection, created_at__lt=frozen_at)
    return rows.exclude(campaign__state=Campaign.State.CANCELLED).exclude(launched_since).exclude(not_yet_due)


@transaction.atomic
def _doubt(connection: Connection, ids: Sequence[int], now: datetime) -> int:
    """Give each row the request that it may have been in; how many have a text that could have left."""
    locked = Message.objects.filter(pk__in=ids).order_by("pk").select_for_update(no_key=True)
    list(locked.values_list("pk"))
    messages = list(
        Message.objects.filter(MAYBE_SENT, pk__in=ids)
        .select_related(
            "campaign__template_version", "campaign__connection", "test_of", "template_version", "connection"
        )
        .order_by("pk")
    )
    prepared = prepare(messages, connection=connection, now=now, queued=True)
    told = [
        (message, one, lane)
        for message, one in zip(messages, prepared, strict=True)
        if one and one.person.msisdn and (lane := _lane(message, one, now))
    ]
    _write_requests(connection, told, now)
    return len(told)


def _lane(message: Message, prepared: Prepared, now: datetime) -> Lane | None:
    """The lane that it most likely took; None if no text of it renders, so that it cannot have left."""
    verdict = prepared.decide(now)
    wanted = [verdict.lane, message.planned_lane, *SENDING_LANES]
    return next((Lane(lane) for lane in wanted if lane in prepared.texts), None)


def _write_requests(connection: Connection, told: Sequence[tuple[Message, Prepared, Lane]], now: datetime) -> None:
    known = KnownDatabase.objects.get(pk=1)
    began = known.lost_since or connection.state_since
    requests = ProviderRequest.objects.bulk_create(
        ProviderRequest(
            connection=connection, token=uuid.uuid4(), channel=lane.channel, lane=lane, text=one.texts[lane],
            started_at=began, deadline=began, outcome=Outcome.UNKNOWN, resolved_by=ResolvedBy.RESTORE,
            error="it may have left after the restored backup was made",
        )
        for _message, one, lane in told
    )  # fmt: skip
    RequestRecipient.objects.bulk_create(
        RequestRecipient(
            request=request, message=message, position=0, address_hmac=address_hmac(str(one.person.msisdn)),
            outcome=Outcome.UNKNOWN, resolved_by=ResolvedBy.RESTORE, resolved_at=now,
        )
        for request, (message, one, _lane) in zip(requests, told, strict=True)
    )  # fmt: skip
    with database.cursor() as cursor:
        cursor.execute(
            UNKNOWN_SQL,
            {
                "ids": [message.pk for message, *_ in told],
                "lanes": [lane for *_, lane in told],
                "channels": [lane.channel for *_, lane in told],
                "tokens": [request.token for request in requests],
            },
        )

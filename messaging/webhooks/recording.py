"""Write down what receivers said, and what follows for the endpoint: rest, pause, end."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from django.db import connection as database
from django.db import transaction
from django.utils.translation import gettext as _

from messaging.audit import audit
from messaging.clock import db_now
from messaging.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from messaging.webhooks.posting import Reply
from messaging.webhooks.schedule import next_try, rest_until

State = WebhookDelivery.State
PAUSED_AFTER = timedelta(days=5)  # of failures alone
GONE, TOO_MANY, UNAVAILABLE = 410, 429, 503

log = structlog.get_logger()

# A success counts whoever has the lease by now: the receiver has the event.
DELIVERIES_SQL = """
UPDATE messaging_webhookdelivery d
SET state = r.state, tries = d.tries + 1, next_at = coalesce(r.next_at, d.next_at), lease_until = NULL,
    lease_token = NULL, delivered_at = CASE r.state WHEN 'delivered' THEN %(now)s ELSE d.delivered_at END
FROM unnest(%(ids)s::bigint[], %(tokens)s::uuid[], %(states)s::text[], %(next)s::timestamptz[])
     AS r(id, token, state, next_at)
WHERE d.id = r.id AND d.state = 'waiting' AND (d.lease_token = r.token OR r.state = 'delivered')
"""


@dataclass(frozen=True, slots=True)
class Result:
    """One try of a delivery and its end."""

    delivery: WebhookDelivery
    reply: Reply


def record(results: Sequence[Result], *, now: datetime | None = None) -> None:
    """Commit these results together. Locks endpoints whose state changes, in order of id, then deliveries."""
    if not results:
        return
    now = now or db_now()
    by_endpoint: dict[int, list[Reply]] = defaultdict(list)
    for one in results:
        by_endpoint[one.delivery.endpoint_id].append(one.reply)
    with transaction.atomic():
        for endpoint_id in sorted(by_endpoint):
            _heed(endpoint_id, by_endpoint[endpoint_id], now)
        _write(sorted(results, key=lambda one: one.delivery.pk), now)
        WebhookAttempt.objects.bulk_create(_attempt(one, now) for one in results)


def record_apart(results: Sequence[Result]) -> None:
    """Together, and if that fails each endpoint's by itself: nobody's answer keeps another's from being written.

    What cannot be written is logged; its lease ends, and it is delivered again.
    """
    try:
        record(results)
    except Exception:
        log.exception("webhook.unrecorded", deliveries=[one.delivery.pk for one in results])
        for endpoint in sorted({one.delivery.endpoint_id for one in results}):
            _record_alone([one for one in results if one.delivery.endpoint_id == endpoint])


def _record_alone(results: Sequence[Result]) -> None:
    try:
        record(results)
    except Exception:
        log.exception("webhook.unrecorded", deliveries=[one.delivery.pk for one in results])


def _write(results: Sequence[Result], now: datetime) -> None:
    fates = [_fate(one, now) for one in results]
    with database.cursor() as cursor:
        cursor.execute(
            DELIVERIES_SQL,
            {
                "now": now,
                "ids": [one.delivery.pk for one in results],
                "tokens": [one.delivery.lease_token for one in results],
                "states": [state for state, _next in fates],
                "next": [next_at for _state, next_at in fates],
            },
        )


def _fate(result: Result, now: datetime) -> tuple[str, datetime | None]:
    if result.reply.delivered:
        return State.DELIVERED, None
    next_at = next_try(result.delivery.tries + 1, now, random.SystemRandom())
    if next_at is None:
        return State.GIVEN_UP, None
    rest = _rest(result.reply, now)
    return State.WAITING, max(next_at, rest) if rest else next_at


def _attempt(result: Result, now: datetime) -> WebhookAttempt:
    reply = result.reply
    began = now - timedelta(milliseconds=reply.ms)
    return WebhookAttempt(
        delivery=result.delivery,
        at=began,
        status=reply.status,
        error=reply.error[:200],
        answer=reply.answer,
        ms=reply.ms,
    )


def _heed(endpoint_id: int, replies: Sequence[Reply], now: datetime) -> None:
    """Write to the endpoint only what is news: most answers are none."""
    endpoint = WebhookEndpoint.objects.get(pk=endpoint_id)
    delivered = any(reply.delivered for reply in replies)
    if delivered and endpoint.failing_since is None:
        return
    endpoint = WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint_id)
    endpoint.failing_since = None if delivered else endpoint.failing_since or now
    endpoint.quiet_until = max((rest for reply in replies if (rest := _rest(reply, now))), default=endpoint.quiet_until)
    if any(reply.status == GONE for reply in replies):
        _end(endpoint, WebhookEndpoint.State.DISABLED, _("Its receiver answered 410: gone for good."), now)
    elif endpoint.failing_since and now - endpoint.failing_since >= PAUSED_AFTER:
        _end(endpoint, WebhookEndpoint.State.PAUSED, _("Nothing could be delivered for five days."), now)
    endpoint.save(update_fields=["failing_since", "quiet_until", "state", "paused_because"])


def _end(endpoint: WebhookEndpoint, state: WebhookEndpoint.State, because: str, now: datetime) -> None:
    """The owner is told by `stopped_by_themselves`, on the pages that ask it, and by the audit."""
    if endpoint.state != WebhookEndpoint.State.ACTIVE:
        return
    endpoint.state, endpoint.paused_because = state, because
    audit(actor=None, act=f"webhook.{state.value}", subject=endpoint, now=now, because=because)


def _rest(reply: Reply, now: datetime) -> datetime | None:
    return rest_until(reply.retry_after, now) if reply.status in (TOO_MANY, UNAVAILABLE) else None

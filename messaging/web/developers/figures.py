"""What the first page says of every other system, in as many queries for many as for one."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from urllib.parse import parse_qsl

from django.db.models import Case, Count, F, Max, OuterRef, Prefetch, Q, QuerySet, Subquery, When
from django.db.models.functions import Coalesce

from messaging import webhooks
from messaging.clock import db_now
from messaging.models import ApiClient, ApiKey, DoorCall, DoorClient, WebhookDelivery, WebhookEndpoint

LATELY = timedelta(days=7)  # of what the door let pass
SHOWN = 200  # of a kind
ENDED_LAST = F("disabled_at").asc(nulls_first=True)


def api_clients(now: datetime) -> list[ApiClient]:
    """With those of their keys that are valid."""
    valid = ApiKey.objects.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)
    clients = ApiClient.objects.select_related("owner").prefetch_related(Prefetch("keys", valid))
    return list(clients.order_by(ENDED_LAST, "name")[:SHOWN])


def door_clients(now: datetime) -> list[DoorClient]:
    """With `last_call_at` to the minute, and `passed`: how many calls their mode let pass lately."""
    passed = DoorCall.objects.filter(client=OuterRef("pk"), at__gte=now - LATELY).exclude(would_be="").order_by()
    many = passed.values("client").annotate(many=Count("pk")).values("many")
    clients = DoorClient.objects.select_related("owner", "connection")
    clients = clients.annotate(last_call_at=Max("keys__last_used_at"), passed=Coalesce(Subquery(many), 0))
    return list(clients.order_by(ENDED_LAST, "name")[:SHOWN])


def endpoints() -> list[tuple[WebhookEndpoint, WebhookDelivery | None]]:
    """Each with its newest delivery; those that ended come last."""
    newest = WebhookDelivery.objects.filter(endpoint=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    rows = WebhookEndpoint.objects.select_related("owner", "door_client").annotate(newest=Subquery(newest))
    found = list(rows.order_by(Case(When(state=WebhookEndpoint.State.DISABLED, then=1), default=0), "pk")[:SHOWN])
    known = WebhookDelivery.objects.select_related("event", "endpoint").in_bulk(
        [one.newest for one in found if one.newest]
    )
    return [(one, known.get(one.newest)) for one in found]


def stopped_endpoints() -> QuerySet[WebhookEndpoint]:
    """Those that somebody has to look at."""
    return webhooks.stopped_by_themselves().select_related("owner", "door_client")


def leaves_as(delivery: WebhookDelivery) -> str:
    """The body that its receiver gets if it leaves now, to be read by people."""
    body = webhooks.outgoing(delivery, secrets=[], now=db_now()).body
    if delivery.endpoint.format == WebhookEndpoint.Format.STANDARD:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    return "\n".join(f"{name}={value}" for name, value in parse_qsl(body.decode(), keep_blank_values=True))

"""What went to an endpoint and what it said; and sending it once more."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Prefetch, QuerySet
from django.utils.translation import gettext_lazy as _

from messaging.audit import audit
from messaging.errors import WrongState
from messaging.models import ApiClient, WebhookAttempt, WebhookDelivery, WebhookEndpoint

State = WebhookDelivery.State
CHUNK = 5_000


def deliveries(endpoint: WebhookEndpoint) -> QuerySet[WebhookDelivery]:
    """An endpoint's log, newest first, each with its event and every attempt."""
    attempts = Prefetch("attempts", WebhookAttempt.objects.order_by("pk"))
    rows = endpoint.deliveries.select_related("event__message", "event__contact").prefetch_related(attempts)
    return rows.order_by("-pk")


def replay(*, delivery: WebhookDelivery, user: User, now: datetime, client: ApiClient | None = None) -> WebhookDelivery:
    """Send it again from the first try on, under the same event id. Raises WrongState."""
    with transaction.atomic():
        delivery = WebhookDelivery.objects.select_for_update(no_key=True).get(pk=delivery.pk)
        _require_living(delivery.endpoint)
        _set_waiting(WebhookDelivery.objects.filter(pk=delivery.pk), now)
        event = str(delivery.event.public_id)
        audit(actor=user, act="webhook.replayed", subject=delivery.endpoint, now=now, event=event, **_by(client))
    delivery.refresh_from_db()
    return delivery


def replay_range(
    *,
    endpoint: WebhookEndpoint,
    since: datetime,
    until: datetime,
    user: User,
    now: datetime,
    failed_only: bool = False,
    client: ApiClient | None = None,
) -> int:
    """Send again what happened from `since` to before `until`, at most 5,000 a transaction; how many."""
    _require_living(endpoint)
    over = [State.GIVEN_UP] if failed_only else [State.GIVEN_UP, State.DELIVERED]
    chosen = endpoint.deliveries.filter(event__at__gte=since, event__at__lt=until, state__in=over).order_by("pk")
    total, last = 0, 0
    while ids := list(chosen.filter(pk__gt=last).values_list("pk", flat=True)[:CHUNK]):
        total, last = total + _set_waiting(WebhookDelivery.objects.filter(pk__in=ids, state__in=over), now), ids[-1]
    detail = {"since": since.isoformat(), "until": until.isoformat(), "many": total}
    audit(actor=user, act="webhook.replayed", subject=endpoint, now=now, **detail, **_by(client))
    return total


def _by(client: ApiClient | None) -> dict[str, str]:
    return {"client": client.name} if client else {}


def _require_living(endpoint: WebhookEndpoint) -> None:
    if endpoint.state == WebhookEndpoint.State.DISABLED:
        raise WrongState(_("This endpoint is disabled; make a new one."))


def _set_waiting(rows: QuerySet[WebhookDelivery], now: datetime) -> int:
    return rows.update(state=State.WAITING, tries=0, next_at=now, lease_until=None, lease_token=None)

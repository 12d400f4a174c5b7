"""Receivers of events: made, changed, paused and ended by people or their systems; each act is audited."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from messaging.audit import audit
from messaging.errors import Refused, WrongState
from messaging.models import ApiClient, DoorClient, EventType, WebhookEndpoint, WebhookSecret
from messaging.webhooks.addresses import check_url
from messaging.webhooks.signing import new_secret

State, Format = WebhookEndpoint.State, WebhookEndpoint.Format
DOOR_EVENTS = {Format.DOOR_DN: EventType.MESSAGE_STATUS, Format.DOOR_MO: EventType.MESSAGE_RECEIVED}
BOTH_VALID_FOR = timedelta(hours=24)  # the old and the new secret


class BadEvents(Refused):
    """Not a choice of events that somebody can subscribe to."""

    code = "bad_event_types"


@transaction.atomic
def create_endpoint(
    *,
    url: str,
    event_types: Collection[str],
    owner: User,
    now: datetime,
    description: str = "",
    client: ApiClient | None = None,
) -> tuple[WebhookEndpoint, str]:
    """The endpoint and its secret, shown once. Looks the name up; raises BadAddress, BadEvents."""
    check_url(url)
    endpoint = WebhookEndpoint.objects.create(
        url=url, description=description, event_types=_checked(event_types), owner=owner, client=client
    )
    secret = _add_secret(endpoint)
    _audit(endpoint, owner, "created", now, client=client)
    return endpoint, secret


@transaction.atomic
def create_door_endpoint(
    *, door_client: DoorClient, shape: str, url: str, now: datetime, user: User | None = None
) -> WebhookEndpoint:
    """Where a door client gets its DNs or MOs, in the provider's shape and unsigned. Raises BadAddress."""
    check_url(url)
    endpoint = WebhookEndpoint.objects.create(
        url=url,
        format=shape,
        event_types=[DOOR_EVENTS[Format(shape)]],
        owner=door_client.owner,
        door_client=door_client,
    )
    _audit(endpoint, user or door_client.owner, "created", now, client=None)
    return endpoint


@transaction.atomic
def update_endpoint(
    *, endpoint: WebhookEndpoint, user: User, now: datetime, client: ApiClient | None = None, **changes: Any
) -> WebhookEndpoint:
    """Change `url`, `description` or `event_types` from the next event on. Raises BadAddress, BadEvents, WrongState."""
    if strangers := changes.keys() - {"url", "description", "event_types"}:
        raise TypeError(f"no such setting of an endpoint: {', '.join(sorted(strangers))}")
    endpoint = _lock_living(endpoint)
    if "event_types" in changes:
        changes["event_types"] = _checked(changes["event_types"], endpoint.format)
    changed = {field: value for field, value in changes.items() if getattr(endpoint, field) != value}
    if not changed:
        return endpoint
    if "url" in changed:
        check_url(changed["url"])
    for field, value in changed.items():
        setattr(endpoint, field, value)
    endpoint.save(update_fields=list(changed))
    _audit(endpoint, user, "changed", now, client=client, fields=sorted(changed))
    return endpoint


@transaction.atomic
def rotate_secret(*, endpoint: WebhookEndpoint, user: User, now: datetime, client: ApiClient | None = None) -> str:
    """A new secret, shown once. For 24 hours the one before it signs as well; older ones end now."""
    endpoint = _lock_living(endpoint)
    if endpoint.format != Format.STANDARD:
        raise WrongState(_("What goes out in the provider's shape is not signed."))
    endpoint.secrets.exclude(pk__in=endpoint.secrets.values_list("pk", flat=True)[:1]).delete()
    endpoint.secrets.update(expires_at=now + BOTH_VALID_FOR)
    secret = _add_secret(endpoint)
    _audit(endpoint, user, "secret_rotated", now, client=client)
    return secret


@transaction.atomic
def pause_endpoint(
    *, endpoint: WebhookEndpoint, user: User, now: datetime, client: ApiClient | None = None
) -> WebhookEndpoint:
    """Send nothing more; events wait for at most 30 days. No effect if it is paused."""
    endpoint = _lock_living(endpoint)
    if endpoint.state == State.ACTIVE:
        _enter(endpoint, State.PAUSED)
        _audit(endpoint, user, "paused", now, client=client)
    return endpoint


@transaction.atomic
def resume_endpoint(
    *, endpoint: WebhookEndpoint, user: User, now: datetime, client: ApiClient | None = None
) -> WebhookEndpoint:
    """Go on, at once with everything that waits. No effect if it is active."""
    endpoint = _lock_living(endpoint)
    if endpoint.state == State.PAUSED:
        _enter(endpoint, State.ACTIVE)
        endpoint.deliveries.filter(state="waiting", next_at__gt=now).update(next_at=now)
        _audit(endpoint, user, "resumed", now, client=client)
    return endpoint


@transaction.atomic
def disable_endpoint(
    *, endpoint: WebhookEndpoint, user: User, now: datetime, client: ApiClient | None = None
) -> WebhookEndpoint:
    """For good, as if deleted; its log stays. Of one that ended by itself: its owner knows. No effect otherwise."""
    endpoint = _lock(endpoint)
    if endpoint.state != State.DISABLED or endpoint.paused_because:
        _enter(endpoint, State.DISABLED)
        _audit(endpoint, user, "disabled", now, client=client)
    return endpoint


def stopped_by_themselves() -> QuerySet[WebhookEndpoint]:
    """Endpoints that nobody paused: five days of failures, or a 410. Their owners have to know."""
    return WebhookEndpoint.objects.exclude(state=State.ACTIVE).exclude(paused_because="")


def _checked(event_types: Collection[str], shape: str = Format.STANDARD) -> list[str]:
    chosen = [event.value for event in EventType if event in set(event_types)]
    if not chosen or len(chosen) != len(set(event_types)) or shape != Format.STANDARD:
        raise BadEvents(_("Choose at least one of these events: %s.") % ", ".join(EventType.values))
    return chosen


def _lock(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    return WebhookEndpoint.objects.select_for_update(no_key=True).get(pk=endpoint.pk)


def _lock_living(endpoint: WebhookEndpoint) -> WebhookEndpoint:
    endpoint = _lock(endpoint)
    if endpoint.state == State.DISABLED:
        raise WrongState(_("This endpoint is disabled; make a new one."))
    return endpoint


def _enter(endpoint: WebhookEndpoint, state: WebhookEndpoint.State) -> None:
    endpoint.state, endpoint.paused_because = state, ""
    endpoint.failing_since = endpoint.quiet_until = None
    endpoint.save(update_fields=["state", "paused_because", "failing_since", "quiet_until"])


def _add_secret(endpoint: WebhookEndpoint) -> str:
    secret = new_secret()
    WebhookSecret.objects.create(endpoint=endpoint, secret=secret)
    return secret


def _audit(
    endpoint: WebhookEndpoint, user: User, act: str, now: datetime, *, client: ApiClient | None, **detail: Any
) -> None:
    """The URL may hold a token of the receiver's, so it is not repeated here."""
    by = {"client": client.name} if client else {}
    audit(actor=user, act=f"webhook.{act}", subject=endpoint, now=now, **by, **detail)

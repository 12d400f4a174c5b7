"""The door's clients as people manage them. A pair of key and secret is shown once, when it is made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from messaging.audit import audit
from messaging.doorkeeping.keys import digest, new_pair
from messaging.errors import Refused
from messaging.models import Connection, DoorClient, DoorKey

VALID_KEYS = 2  # so that one can be rotated while the system still uses the other
CHANGEABLE = {"name", "mode", "purpose", "allowed_peers", "repeat_guard_s", "connection", "owner"}


class BadDoorClient(Refused):
    """A client cannot be like this; `detail["fields"]` has the words for each field."""

    code = "bad_door_client"


@transaction.atomic
def create_door_client(
    *,
    name: str,
    connection: Connection,
    owner: User,
    allowed_peers: Sequence[str],
    user: User | None,
    now: datetime,
    **settings: Any,
) -> DoorClient:
    """A client without a key yet; its owner answers for what it sends. Raises BadDoorClient."""
    _refuse_strangers(settings)
    client = DoorClient(name=name.strip(), connection=connection, owner=owner, allowed_peers=allowed_peers, **settings)
    _check(client)
    client.save()
    audit(actor=user, act="doorclient.created", subject=client, now=now, name=client.name, mode=client.mode)
    return client


@transaction.atomic
def update_door_client(*, client: DoorClient, user: User, now: datetime, **changes: Any) -> DoorClient:
    """Its keys stay; a new mode holds from the next call on. Raises BadDoorClient."""
    _refuse_strangers(changes)
    client = _lock(client)
    before = client.mode
    for field, value in changes.items():
        setattr(client, field, value)
    _check(client)
    client.save(update_fields=[*changes])
    audit(
        actor=user, act="doorclient.changed", subject=client, now=now,
        changed=sorted(changes), mode=[before, client.mode],
    )  # fmt: skip
    return client


@transaction.atomic
def rotate_door_key(*, client: DoorClient, user: User | None, now: datetime) -> tuple[str, str]:
    """A new APP_KEY and APP_SECRET. The newest before them stay valid until revoked; older ones end."""
    client = _lock(client)
    for key in client.keys.filter(revoked_at=None).order_by("-pk")[VALID_KEYS - 1 :]:
        revoke_door_key(key=key, user=user, now=now)
    app_key, app_secret = new_pair()
    DoorKey.objects.create(client=client, app_key=app_key, digest=digest(app_secret))
    audit(actor=user, act="doorclient.key_added", subject=client, now=now, key=app_key)
    return app_key, app_secret


@transaction.atomic
def revoke_door_key(*, key: DoorKey, user: User | None, now: datetime) -> None:
    """Refused from the next call on; no effect if it is revoked."""
    if DoorKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        audit(actor=user, act="doorclient.key_revoked", subject=key.client, now=now, key=key.app_key)


@transaction.atomic
def disable_door_client(*, client: DoorClient, user: User, now: datetime) -> None:
    """All its keys are refused from the next call on; what it sent before goes on."""
    if DoorClient.objects.filter(pk=client.pk, disabled_at=None).update(disabled_at=now):
        audit(actor=user, act="doorclient.disabled", subject=client, now=now)


@transaction.atomic
def enable_door_client(*, client: DoorClient, user: User, now: datetime) -> None:
    """Its keys that were not revoked are valid again."""
    if DoorClient.objects.filter(pk=client.pk).exclude(disabled_at=None).update(disabled_at=None):
        audit(actor=user, act="doorclient.enabled", subject=client, now=now)


def _lock(client: DoorClient) -> DoorClient:
    return DoorClient.objects.select_for_update(no_key=True).get(pk=client.pk)


def _refuse_strangers(changes: dict[str, Any]) -> None:
    if strangers := changes.keys() - CHANGEABLE:
        raise TypeError(f"no such setting of a door client: {', '.join(sorted(strangers))}")


def _check(client: DoorClient) -> None:
    problems: dict[str, list[str]] = {}
    try:
        client.allowed_peers = [str(ip_network(peer.strip())) for peer in client.allowed_peers]
    except ValueError:
        problems["allowed_peers"] = [str(_("Write the addresses that may call like 203.0.113.0/24."))]
    try:
        client.full_clean(exclude=problems)
    except ValidationError as error:
        problems |= error.message_dict
    if problems:
        raise BadDoorClient(" ".join(words for found in problems.values() for words in found), fields=problems)

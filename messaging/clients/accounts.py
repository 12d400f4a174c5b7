"""API clients as people manage them. A key is shown once, when it is made."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from ipaddress import ip_network
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from messaging.audit import audit
from messaging.clients.keys import digest, new_key
from messaging.errors import Refused, WrongState
from messaging.models import ApiClient, ApiKey

VALID_KEYS = 2  # so that one can be rotated while the system still uses the other
CHANGEABLE = {"name", "scopes", "allowed_peers", "rate_per_minute"}


class BadClient(Refused):
    """A client cannot be like this; `detail["fields"]` has the words for each field."""

    code = "bad_client"


class NotTheOwner(Refused):
    """A key would let somebody write in another's name."""

    code = "not_the_owner"


@transaction.atomic
def create_client(
    *,
    name: str,
    scopes: Iterable[str],
    owner: User,
    user: User | None,
    now: datetime,
    live: bool = True,
    **settings: Any,
) -> ApiClient:
    """A client without a key yet; its owner answers for what it does. Raises BadClient."""
    _refuse_strangers(settings)
    client = ApiClient(name=name.strip(), scopes=sorted(set(scopes)), owner=owner, live=live, **settings)
    _check(client)
    client.save()
    audit(
        actor=user, act="apiclient.created", subject=client, now=now, name=client.name, scopes=client.scopes, live=live
    )
    return client


@transaction.atomic
def update_client(*, client: ApiClient, user: User, now: datetime, **changes: Any) -> ApiClient:
    """Its keys stay; live and test never change into each other. Raises BadClient."""
    _refuse_strangers(changes)
    client = _lock(client)
    for field, value in changes.items():
        setattr(client, field, sorted(set(value)) if field == "scopes" else value)
    _check(client)
    client.save(update_fields=[*changes])
    audit(actor=user, act="apiclient.changed", subject=client, now=now, changed=sorted(changes))
    return client


@transaction.atomic
def take_over(*, client: ApiClient, user: User, now: datetime) -> ApiClient:
    """Its new owner answers for what it does from now on, so the keys that others have end."""
    client = _lock(client)
    for key in client.keys.filter(revoked_at=None):
        revoke_key(key=key, user=user, now=now)
    before, client.owner = client.owner.get_username(), user
    client.save(update_fields=["owner"])
    audit(actor=user, act="apiclient.taken_over", subject=client, now=now, before=before)
    return client


@transaction.atomic
def add_key(*, client: ApiClient, user: User | None, now: datetime, expires_at: datetime | None = None) -> str:
    """A new key beside the one that is valid. Raises NotTheOwner, WrongState if two are."""
    client = _lock(client)
    _require_owner(client, user)
    if len(_valid(client, now)) >= VALID_KEYS:
        raise WrongState(_("Two keys are valid already: revoke one of them first."))
    return _add(client, user, now, expires_at)


@transaction.atomic
def rotate_key(*, client: ApiClient, user: User, now: datetime, expires_at: datetime | None = None) -> str:
    """A new key. The newest before it stays valid until it is revoked; an older one ends. Raises NotTheOwner."""
    client = _lock(client)
    _require_owner(client, user)
    for key in _valid(client, now)[VALID_KEYS - 1 :]:
        revoke_key(key=key, user=user, now=now)
    return _add(client, user, now, expires_at)


@transaction.atomic
def revoke_key(*, key: ApiKey, user: User, now: datetime) -> None:
    """Refused from the next request on; no effect if it is revoked."""
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        audit(actor=user, act="apiclient.key_revoked", subject=key.client, now=now, key=key.prefix)


@transaction.atomic
def disable_client(*, client: ApiClient, user: User, now: datetime) -> None:
    """All its keys are refused from the next request on."""
    if ApiClient.objects.filter(pk=client.pk, disabled_at=None).update(disabled_at=now):
        audit(actor=user, act="apiclient.disabled", subject=client, now=now)


@transaction.atomic
def enable_client(*, client: ApiClient, user: User, now: datetime) -> None:
    """Its keys that were not revoked are valid again."""
    if ApiClient.objects.filter(pk=client.pk).exclude(disabled_at=None).update(disabled_at=None):
        audit(actor=user, act="apiclient.enabled", subject=client, now=now)


def _require_owner(client: ApiClient, user: User | None) -> None:
    """What a key writes is its owner's: with another's key one could approve what one wrote. None is the shell."""
    if user is not None and user.pk != client.owner_id:
        raise NotTheOwner(_("Only its owner makes its keys: take it over first."))


def _lock(client: ApiClient) -> ApiClient:
    return ApiClient.objects.select_for_update(no_key=True).get(pk=client.pk)


def _valid(client: ApiClient, now: datetime) -> list[ApiKey]:
    """Newest first."""
    return [key for key in client.keys.filter(revoked_at=None) if key.expires_at is None or key.expires_at > now]


def _add(client: ApiClient, user: User | None, now: datetime, expires_at: datetime | None) -> str:
    key, prefix = new_key(live=client.live)
    ApiKey.objects.create(client=client, prefix=prefix, digest=digest(key), expires_at=expires_at)
    audit(actor=user, act="apiclient.key_added", subject=client, now=now, key=prefix)
    return key


def _refuse_strangers(changes: dict[str, Any]) -> None:
    if strangers := changes.keys() - CHANGEABLE:
        raise TypeError(f"no such setting of an API client: {', '.join(sorted(strangers))}")


def _check(client: ApiClient) -> None:
    problems: dict[str, list[str]] = {}
    try:
        client.full_clean()
    except ValidationError as error:
        problems |= error.message_dict
    try:
        client.allowed_peers = [str(ip_network(peer)) for peer in client.allowed_peers]
    except ValueError:
        problems["allowed_peers"] = [str(_("Write the addresses that may call like 203.0.113.0/24."))]
    if problems:
        raise BadClient(" ".join(words for found in problems.values() for words in found), fields=problems)

"""A connection's settings, credentials and hook tokens. Secrets go in and never come out."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from messaging.audit import audit
from messaging.errors import Refused
from messaging.models import Connection, ConnectionPace, HookToken

CHANGEABLE = {
    "name",
    "base_url",
    "send_path",
    "balance_path",
    "app_key",
    "sender_id",
    "rate_per_s",
    "max_in_flight",
    "recipients_per_request",
    "window_margin_s",
    "daily_cap",
    "marketing_in_templates",
    "marketing_needs_opt_in",
    "literal_last_dn",
    "time_zone",
    "mo_fields",
    "allowed_peers",
}
WHERE_THE_SECRET_GOES = {"base_url", "send_path", "balance_path"}
VALID_TOKENS = 2  # so that one can be rotated while the provider still calls the other


class BadSettings(Refused):
    """A setting of a connection cannot be like this; `detail` has the words for each field."""

    code = "bad_settings"


@transaction.atomic
def create_connection(
    *,
    name: str,
    kind: str,
    base_url: str,
    app_key: str,
    app_secret: str,
    user: User | None,
    now: datetime,
    hook_token: str = "",
    **changes: Any,
) -> tuple[Connection, str]:
    """The connection and its hook token, which nobody can read again; `hook_token` is for whoever has chosen it."""
    _refuse_strangers(changes)
    connection = Connection(
        name=name,
        kind=kind,
        base_url=base_url,
        app_key=app_key,
        app_secret=app_secret,
        **changes,
    )
    _check(connection)
    connection.save()
    ConnectionPace.objects.create(connection=connection, next_at=now)
    audit(
        actor=user,
        act="connection.created",
        subject=connection,
        now=now,
        name=name,
        kind=kind,
        base_url=base_url,
    )
    token = hook_token or _new_token()
    _add_token(connection, token)
    return connection, token


@transaction.atomic
def update_connection(
    *,
    connection: Connection,
    user: User | None,
    now: datetime,
    app_secret: str = "",
    **changes: Any,
) -> Connection:
    """The connection as it is now; an empty secret keeps the stored one, at the same address alone.

    New credentials do not resume what stopped.
    """
    _refuse_strangers(changes)
    connection = lock_connection(connection.pk)
    changed = {field: [getattr(connection, field), value] for field, value in changes.items()}
    changed = {field: [before, after] for field, (before, after) in changed.items() if before != after}
    new_secret = app_secret not in ("", connection.app_secret)
    if not changed and not new_secret:
        return connection
    for field, (_before, after) in changed.items():
        setattr(connection, field, after)
    connection.app_secret = app_secret or connection.app_secret
    _check(connection)
    if not app_secret and not changed.keys().isdisjoint(WHERE_THE_SECRET_GOES):
        words = str(_("The secret would go to another address. Type it again."))
        raise BadSettings(words, fields={"app_secret": [words]})
    connection.save(update_fields=[*changed, *(["app_secret"] if new_secret else [])])
    audit(
        actor=user,
        act="connection.changed",
        subject=connection,
        now=now,
        changed=changed,
        new_app_secret=new_secret,
    )
    return connection


@transaction.atomic
def rotate_hook_token(*, connection: Connection, user: User, now: datetime) -> str:
    """A new token, shown once. The one before it stays valid until the next rotation; older ones end."""
    connection = lock_connection(connection.pk)
    token = _new_token()
    _revoke_all_but(connection, VALID_TOKENS - 1, now)
    _add_token(connection, token)
    audit(actor=user, act="connection.hook_token_rotated", subject=connection, now=now)
    return token


@transaction.atomic
def adopt_hook_token(*, connection: Connection, token: str, now: datetime) -> None:
    """Make a token that was chosen elsewhere valid; no effect if it is."""
    connection = lock_connection(connection.pk)
    if Connection.objects.for_hook(token) != connection:
        _revoke_all_but(connection, VALID_TOKENS - 1, now)
        _add_token(connection, token)


def hook_urls(token: str) -> dict[str, str]:
    """What the provider is given as the addresses for DNs and MOs."""
    return {kind: f"{settings.PUBLIC_URL}/hooks/{token}/{kind}" for kind in ("dn", "mo")}


def lock_connection(connection_id: int) -> Connection:
    """The row as it is now; new messages and requests may still refer to it."""
    return Connection.objects.select_for_update(no_key=True).get(pk=connection_id)


def _new_token() -> str:
    return secrets.token_urlsafe(24)


def _add_token(connection: Connection, token: str) -> None:
    digest = hashlib.sha256(token.encode()).digest()
    HookToken.objects.update_or_create(digest=digest, defaults={"connection": connection, "revoked_at": None})


def _revoke_all_but(connection: Connection, newest: int, now: datetime) -> None:
    valid = connection.hook_tokens.filter(revoked_at=None).order_by("-pk").values_list("pk", flat=True)
    HookToken.objects.filter(pk__in=list(valid)[newest:]).update(revoked_at=now)


def _refuse_strangers(changes: dict[str, Any]) -> None:
    if strangers := changes.keys() - CHANGEABLE:
        raise TypeError(f"no such setting of a connection: {', '.join(sorted(strangers))}")


def _check(connection: Connection) -> None:
    """Raises BadSettings with what is wrong in every field."""
    problems: dict[str, list[str]] = {}
    try:
        connection.full_clean()
    except ValidationError as error:
        problems |= error.message_dict
    if connection.kind != Connection.Kind.SANDBOX and not _is_private(connection.base_url):
        problems.setdefault("base_url", []).append(str(_("The secret travels in every call: write https://.")))
    for field, check, words in _CHECKS:
        try:
            check(getattr(connection, field))
        except (ValueError, TypeError, LookupError, AttributeError, OSError):
            problems.setdefault(field, []).append(str(words))
    if problems:
        raise BadSettings(
            " ".join(words for found in problems.values() for words in found),
            fields=problems,
        )


def _is_private(url: str) -> bool:
    """Whether nobody on the way reads what is sent there: encrypted, or to this machine."""
    try:
        parts = urlsplit(url)
        if parts.scheme == "https" or parts.hostname == "localhost":
            return True
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return False


def _check_path(path: str) -> None:
    if not path.startswith("/"):
        raise ValueError


def _check_names(names: dict[str, str]) -> None:
    if not all(isinstance(word, str) for word in (*names.keys(), *names.values())):
        raise TypeError


_CHECKS: tuple[tuple[str, Callable[[Any], object], Promise], ...] = (
    ("send_path", _check_path, _("The send path begins with a slash.")),
    ("balance_path", _check_path, _("The balance path begins with a slash.")),
    (
        "time_zone",
        ZoneInfo,
        _("This is no time zone. Write one like Asia/Kuala_Lumpur."),
    ),
    ("mo_fields", _check_names, _("The names of an MO's fields are texts.")),
    (
        "allowed_peers",
        lambda peers: [ip_network(peer) for peer in peers],
        _("Write the addresses that may call like 203.0.113.0/24."),
    ),
)

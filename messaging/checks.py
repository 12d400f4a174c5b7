"""Settings that look like an oversight: `manage.py check` and every start say so."""

from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core import checks

SHORTEST_KEY = 32  # characters; a number has so few values that a weak key lets anybody try them all


@checks.register()
def webhooks_stay_outside(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Exceptions for webhooks are for the loopback of `manage.py up` and of tests."""
    if not settings.HTTPS or not (settings.WEBHOOKS_ALLOW_HTTP or settings.WEBHOOKS_ALLOWED_NETWORKS):
        return []
    return [
        checks.Warning(
            "Webhooks may go over plain HTTP or into forbidden networks, and this is no local run.",
            hint="Unset WEBHOOKS_ALLOW_HTTP and WEBHOOKS_ALLOWED_NETWORKS, unless a receiver really needs them.",
            id="messaging.W001",
        )
    ]


@checks.register()
def keys_are_strong(**_kwargs: Any) -> list[checks.CheckMessage]:
    """An empty line of `.env` is a value too: without this, people's addresses would be keyed with nothing."""
    found: list[checks.CheckMessage] = []
    if len(settings.ADDRESS_HMAC_KEY.strip()) < SHORTEST_KEY:
        found.append(
            checks.Error(
                f"ADDRESS_HMAC_KEY has fewer than {SHORTEST_KEY} characters.",
                hint="Make one as .env.example says, before the first person is stored.",
                id="messaging.E001",
            )
        )
    if not settings.FIELD_KEYS or not all(map(_is_fernet_key, settings.FIELD_KEYS)):
        found.append(
            checks.Error(
                "FIELD_KEYS is empty or has something that is no Fernet key.",
                hint="Make one as .env.example says.",
                id="messaging.E002",
            )
        )
    return found


def _is_fernet_key(key: str) -> bool:
    try:
        Fernet(key)
    except ValueError:
        return False
    return True

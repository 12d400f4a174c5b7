"""Settings that look like an oversight: `manage.py check` and every start say so."""

from typing import Any

from django.conf import settings
from django.core import checks


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

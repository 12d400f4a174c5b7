"""How we talk to a connection's provider."""

import math
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from functools import lru_cache

from django.conf import settings

from messaging.models import Connection
from messaging.providers.bulk360 import BalanceOutcome, Bulk360

BALANCE_LIMIT = Decimal(10) ** 10  # what the balance column holds


def client_for(connection: Connection) -> Bulk360:
    """The client for the credentials in this instance, one a process; thread-safe. New credentials make another one."""
    return _client(
        connection.base_url,
        connection.send_path,
        connection.balance_path,
        connection.app_key,
        connection.app_secret,
    )


@lru_cache(maxsize=64)
def _client(base_url: str, send_path: str, balance_path: str, app_key: str, app_secret: str) -> Bulk360:
    return Bulk360(
        base_url=base_url,
        send_path=send_path,
        balance_path=balance_path,
        app_key=app_key,
        app_secret=app_secret,
        deadline_s=settings.PROVIDER_DEADLINE_S,
    )


def check_balance(
    *, connection: Connection, now: datetime, country: str = "", within_s: float = math.inf
) -> BalanceOutcome:
    """Ask the provider (up to 40 s, so outside any transaction) and keep the answer if it is one."""
    client = client_for(connection)
    outcome = replace(client, deadline_s=min(client.deadline_s, within_s)).balance(country or None)
    if outcome.balance is not None and abs(outcome.balance) < BALANCE_LIMIT:
        Connection.objects.filter(pk=connection.pk).update(
            balance=outcome.balance,
            balance_currency=outcome.currency[:3],
            balance_at=now,
        )
    return outcome

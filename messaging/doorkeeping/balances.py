"""The balance that a client of the door is told: its connection's, as the provider says or last said."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from messaging.connections import check_balance
from messaging.doorkeeping.refusals import SERVER_ERROR, CallRefused
from messaging.models import Connection

CURRENCY = "MYR"
WITHIN_S = 5.0  # our own caller waits meanwhile


def known_balance(connection: Connection) -> dict[str, str]:
    """What the provider last said, before this call's charge; a zero if it has never said anything."""
    balance = connection.balance if connection.balance is not None else Decimal(0)
    return {"currency": connection.balance_currency or CURRENCY, "balance": f"{balance:.4f}"}


def ask_balance(*, connection: Connection, country: str, now: datetime) -> dict[str, str]:
    """The provider's answer, else the last known balance. Talks to the provider. Raises CallRefused."""
    outcome = check_balance(connection=connection, now=now, country=country, within_s=WITHIN_S)
    if outcome.balance is None:
        if connection.balance is None:
            raise CallRefused(SERVER_ERROR)
        return known_balance(connection)
    told = {"currency": outcome.currency or CURRENCY, "balance": f"{outcome.balance:f}"}
    return told | ({"country": outcome.country, "credits": outcome.credits} if outcome.country else {})

"""When a failed delivery is tried again. Pure."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

# The schedule of the Standard Webhooks specification: the first try at once, then after each of these.
WAITS = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
SPREAD = 0.2  # so that what failed together does not come back together
LONGEST_REST = timedelta(hours=24)  # of what a receiver may ask for


def next_try(tries: int, now: datetime, chance: random.Random) -> datetime | None:
    """The time after `tries` failures, None when it is given up."""
    if tries > len(WAITS):
        return None
    return now + WAITS[tries - 1] * chance.uniform(1 - SPREAD, 1 + SPREAD)


def rest_until(retry_after: str, now: datetime) -> datetime | None:
    """What a Retry-After header asks for, in seconds or as a date (RFC 9110); None if it asks for nothing sensible."""
    until = _moment(retry_after.strip(), now)
    return min(until, now + LONGEST_REST) if until and until > now else None


def _moment(retry_after: str, now: datetime) -> datetime | None:
    if retry_after.isascii() and retry_after.isdigit():
        return now + timedelta(seconds=min(int(retry_after[:9]), 10**8))
    try:
        moment = parsedate_to_datetime(retry_after)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):  # a receiver may write any year and any zone
        return None

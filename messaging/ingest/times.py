"""Moments as machines and people write them. Pure; never raises."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

EPOCH = re.compile(r"(\d{10})(\d{3}|\d{6})?(?:\.\d+)?", re.ASCII)
TIME_FORMS = ("%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d-%m-%Y %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y%m%d%H%M%S")
YEARS = range(2009, 2100)  # nobody wrote on WhatsApp before; a clock that says so is wrong


def read_time(text: str) -> datetime | None:
    """ISO 8601, (milli-, micro-) seconds since 1970, RFC 2822 or day-first forms; naive if no zone is named."""
    at = _epoch(text) or _iso(text) or _named_forms(text) or _rfc2822(text)
    return at if at and at.year in YEARS else None


def _epoch(text: str) -> datetime | None:
    found = EPOCH.fullmatch(text)
    return datetime.fromtimestamp(int(found[1]), UTC) if found else None


def _iso(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if len(text) > len("2026-12-31") and ":" in text else None
    except ValueError:
        return None


def _named_forms(text: str) -> datetime | None:
    for form in TIME_FORMS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007  the connection knows the zone
        except ValueError:
            continue
    return None


def _rfc2822(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None

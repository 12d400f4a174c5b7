"""The keys of API clients: `wg_live_<id>_<secret>_<checksum>`, or `wg_test_…` for those that reach sandboxes alone.

Prefix and checksum let people, logs and secret scanners recognise a key. What we keep of it lets nobody in.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from datetime import datetime

from django.db.models import Q

from messaging.models import ApiKey

LETTERS = string.digits + string.ascii_letters
KEY = re.compile(r"(wg_(?:live|test)_[0-9A-Za-z]{8})_[0-9A-Za-z]{32}_([0-9A-Za-z]{6})", re.ASCII)


def new_key(*, live: bool) -> tuple[str, str]:
    """A new key and its prefix, by which people call it."""
    prefix = f"wg_{'live' if live else 'test'}_{_random(8)}"
    words = f"{prefix}_{_random(32)}"
    return f"{words}_{_checksum(words)}", prefix


def _random(length: int) -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(length))


def _checksum(words: str) -> str:
    """CRC32 in six letters: tells a mistyped key from a wrong one, without a look into the database."""
    number, letters = zlib.crc32(words.encode()), ""
    for _ in range(6):
        number, digit = divmod(number, len(LETTERS))
        letters = LETTERS[digit] + letters
    return letters


def digest(key: str) -> bytes:
    """What is kept of a key. 190 random bits need no slow hash."""
    return hashlib.sha256(key.encode()).digest()


def is_well_formed(key: str) -> bool:
    found = KEY.fullmatch(key)
    return found is not None and found[2] == _checksum(key[: -len(found[2]) - 1])


def find_key(key: str, now: datetime) -> ApiKey | None:
    """The valid key with its client and owner; None if it is unknown, revoked or expired, or its client is disabled."""
    if not is_well_formed(key):
        return None
    valid = ApiKey.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=now),
        digest=digest(key),
        revoked_at=None,
        client__disabled_at=None,
        client__owner__is_active=True,
    )
    return valid.select_related("client__owner").first()


def note_use(key: ApiKey, now: datetime) -> None:
    """Remember the minute; one write a minute, however many calls."""
    minute = now.replace(second=0, microsecond=0)
    if key.last_used_at is None or key.last_used_at < minute:
        older = Q(last_used_at=None) | Q(last_used_at__lt=minute)
        ApiKey.objects.filter(older, pk=key.pk).update(last_used_at=minute)

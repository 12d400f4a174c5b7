"""APP_KEY and APP_SECRET of the door's clients: letters and digits alone, since old scripts encode nothing."""

from __future__ import annotations

import hashlib
import secrets
import string
from datetime import datetime
from hmac import compare_digest

from django.db.models import Q

from messaging.doorkeeping.refusals import CREDENTIALS, CallRefused
from messaging.models import DoorKey

LETTERS = string.digits + string.ascii_letters
KEY_LENGTH, SECRET_LENGTH = 12, 32
NOBODYS = bytes(32)  # compared with where there is no such key, so that both take equally long


def new_pair() -> tuple[str, str]:
    return _random(KEY_LENGTH), _random(SECRET_LENGTH)


def _random(length: int) -> str:
    return "".join(secrets.choice(LETTERS) for _ in range(length))


def digest(app_secret: str) -> bytes:
    """What is kept of a secret. 190 random bits need no slow hash."""
    return hashlib.sha256(app_secret.encode()).digest()


def sign_in(app_key: str, app_secret: str) -> DoorKey:
    """The valid key of this pair with its client and connection. Raises CallRefused."""
    readable = app_key if app_key.isascii() and app_key.isalnum() else ""
    key = DoorKey.objects.filter(app_key=readable, revoked_at=None).select_related("client__connection").first()
    right = compare_digest(digest(app_secret), bytes(key.digest) if key else NOBODYS)
    if key is None or not right:
        raise CallRefused(CREDENTIALS)
    return key


def note_use(key: DoorKey, now: datetime) -> None:
    """Remember the minute; one write a minute, however many calls."""
    minute = now.replace(second=0, microsecond=0)
    if key.last_used_at is None or key.last_used_at < minute:
        older = Q(last_used_at=None) | Q(last_used_at__lt=minute)
        DoorKey.objects.filter(older, pk=key.pk).update(last_used_at=minute)

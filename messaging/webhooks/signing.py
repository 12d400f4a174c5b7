"""Standard Webhooks: who sent this, when, and that nobody changed it (https://www.standardwebhooks.com, version 1)."""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Mapping
from datetime import datetime

PREFIX = "whsec_"
SECRET_BYTES = 32


def new_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(event_id: str, body: bytes, valid: Iterable[str], now: datetime) -> Mapping[str, str]:
    """The three headers; `valid` are the endpoint's secrets, and each of them signs."""
    timestamp = str(int(now.timestamp()))
    signatures = (_signature(secret, f"{event_id}.{timestamp}.".encode() + body) for secret in valid)
    return {"webhook-id": event_id, "webhook-timestamp": timestamp, "webhook-signature": " ".join(signatures)}


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()

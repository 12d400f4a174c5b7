"""One call of a hook, as it came."""

import hashlib
import os
import time
import uuid
from dataclasses import dataclass, field


def new_call_id() -> uuid.UUID:
    """Ordered by this machine's clock, so that their index grows at one end; random enough to be unique anywhere."""
    milliseconds = time.time_ns() // 1_000_000
    return uuid.UUID(bytes=milliseconds.to_bytes(6, "big") + os.urandom(10))


def token_digest(token: str) -> bytes:
    """As HookToken keeps it: the token itself is written nowhere."""
    return hashlib.sha256(token.encode(errors="replace")).digest()


@dataclass(frozen=True, slots=True)
class Call:
    """`id` makes storing it twice impossible, also where nobody knows whether the first time succeeded."""

    kind: str
    method: str
    query: bytes
    content_type: str
    body: bytes
    truncated: bool
    peer: str | None
    token: bytes  # its digest
    id: uuid.UUID = field(default_factory=new_call_id)

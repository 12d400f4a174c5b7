"""Other systems that use the REST API: who they are, what their keys may do, and how often they may ask."""

from messaging.clients.accounts import (
    BadClient,
    NotTheOwner,
    add_key,
    create_client,
    disable_client,
    enable_client,
    revoke_key,
    rotate_key,
    take_over,
    update_client,
)
from messaging.clients.keys import find_key, note_use
from messaging.clients.once import Answer, KeyReused, StillRunning, answer_once, forget_answers
from messaging.clients.quota import Quota, take

__all__ = [
    "Answer",
    "BadClient",
    "KeyReused",
    "NotTheOwner",
    "Quota",
    "StillRunning",
    "add_key",
    "answer_once",
    "create_client",
    "disable_client",
    "enable_client",
    "find_key",
    "forget_answers",
    "note_use",
    "revoke_key",
    "rotate_key",
    "take",
    "take_over",
    "update_client",
]

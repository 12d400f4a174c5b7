"""Behind the door: who its clients are, and what becomes of the calls that they make as if we were the provider."""

from messaging.doorkeeping.admission import refuse_disabled, refuse_stopped, refuse_strangers
from messaging.doorkeeping.balances import ask_balance, known_balance
from messaging.doorkeeping.calls import Taken, Wish, take_call
from messaging.doorkeeping.clients import (
    BadDoorClient,
    create_door_client,
    disable_door_client,
    enable_door_client,
    revoke_door_key,
    rotate_door_key,
    update_door_client,
)
from messaging.doorkeeping.keys import note_use, sign_in
from messaging.doorkeeping.let_pass import count_let_pass, let_pass
from messaging.doorkeeping.notices import dn_fields, mo_fields
from messaging.doorkeeping.refusals import CallRefused

__all__ = [
    "BadDoorClient",
    "CallRefused",
    "Taken",
    "Wish",
    "ask_balance",
    "count_let_pass",
    "create_door_client",
    "disable_door_client",
    "dn_fields",
    "enable_door_client",
    "known_balance",
    "let_pass",
    "mo_fields",
    "note_use",
    "refuse_disabled",
    "refuse_stopped",
    "refuse_strangers",
    "revoke_door_key",
    "rotate_door_key",
    "sign_in",
    "take_call",
    "update_door_client",
]

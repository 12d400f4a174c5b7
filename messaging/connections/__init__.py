"""The provider accounts: made and changed by people, stopped by the provider's answers, resumed by people."""

from messaging.connections.accounts import (
    BadSettings,
    adopt_hook_token,
    create_connection,
    hook_urls,
    rotate_hook_token,
    update_connection,
)
from messaging.connections.clients import BALANCE_LIMIT, check_balance, client_for
from messaging.connections.stopping import (
    close_incident,
    freeze_connection,
    pause_connection,
    resume_connection,
    resuming_closes,
    stop_connection,
)

__all__ = [
    "BALANCE_LIMIT",
    "BadSettings",
    "adopt_hook_token",
    "check_balance",
    "client_for",
    "close_incident",
    "create_connection",
    "freeze_connection",
    "hook_urls",
    "pause_connection",
    "resume_connection",
    "resuming_closes",
    "rotate_hook_token",
    "stop_connection",
    "update_connection",
]

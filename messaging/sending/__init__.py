"""Sending: claim due rows, ask the rule at the gate, commit the intent, POST, record. Any number of workers at once.

Nothing here sends again what may already have left: a lost answer is the visible state unknown.
"""

from messaging.sending.reaper import reap
from messaging.sending.unknowns import (
    give_up_stuck,
    keep_waiting,
    send_again,
    stuck,
    treat_as_not_sent,
    treat_as_sent,
    try_stuck_again,
    undecided,
)
from messaging.sending.worker import drain, stop_soon

__all__ = [
    "drain",
    "give_up_stuck",
    "keep_waiting",
    "reap",
    "send_again",
    "stop_soon",
    "stuck",
    "treat_as_not_sent",
    "treat_as_sent",
    "try_stuck_again",
    "undecided",
]

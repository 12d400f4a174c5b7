"""Named places of the send path at which a test lets the process die. CRASH_AT=after_intent:2 means its 2nd passage."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass

NAMES = (
    "after_claim", "after_slots", "in_gate", "after_intent", "before_post", "after_response", "before_record",
    "in_record", "after_record", "in_reaper",
)  # fmt: skip


@dataclass(slots=True)
class _Armed:
    name: str = ""
    passages_left: int = 0


_armed = _Armed()


def arm(order: str) -> None:
    """Die at NAME:PASSAGE; at nothing if `order` is empty."""
    name, _, passage = order.partition(":")
    _armed.name, _armed.passages_left = name, int(passage or 1)


def crash_point(name: str) -> None:
    """Kill this process if it is armed for this passage: no cleaning up, as when the power goes."""
    if name != _armed.name:
        return
    _armed.passages_left -= 1
    if _armed.passages_left == 0:
        os.kill(os.getpid(), signal.SIGKILL)


arm(os.environ.get("CRASH_AT", ""))

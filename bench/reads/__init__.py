"""What is read while a page waits, in a small house and in a large one of the same database.

The plan's counts stand beside the bare SQL of the same counting; a person's timeline over HTTP and `/metrics` in the
large house beside the same in the small one.
"""

from __future__ import annotations

import time

from bench.reads import pages, plan
from bench.reads.rows import House

PEOPLE, MESSAGES = 1_000_000, 2_000_000
SMALL = 10_000  # people, and messages


def run(*, runs: int, people: int, messages: int = MESSAGES) -> None:
    """Grow the house once; print the counts' seconds and the pages' milliseconds at both sizes."""
    house, asked = House(), {}
    for size in ((min(SMALL, people), min(SMALL, messages)), (people, messages)):
        began = time.monotonic()
        house.grow(*size)
        print(f"{size[0]:,} people, {size[1]:,} messages: filled in {time.monotonic() - began:.0f} s", flush=True)
        plan.compare(house, runs=runs)
        asked[size] = pages.ask(house)
    pages.show(*asked.values(), messages=messages)

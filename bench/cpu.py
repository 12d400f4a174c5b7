"""CPU seconds of other processes: a figure that neighbours on the machine disturb less than the clock on the wall."""

import contextlib
import os
from pathlib import Path

from django.db import connection as database

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def seconds_of(pid: int) -> float:
    """User and system time of a process and of all below it, those that have ended included."""
    return sum(_own(one) for one in _tree(pid)) / TICKS_A_SECOND


def postmaster() -> int:
    """The process above the server process that serves us."""
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return _parent(cursor.fetchone()[0])


def resident_mb(pid: int) -> dict[int, float]:
    """The memory of each process of a tree."""
    page = os.sysconf("SC_PAGE_SIZE")
    return {one: int(Path(f"/proc/{one}/statm").read_text().split()[1]) * page / 2**20 for one in _tree(pid)}


def _stat(pid: int) -> list[str]:
    """The fields behind the name, which may hold blanks: [0] is the state, field 3 of proc(5)."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _parent(pid: int) -> int:
    return int(_stat(pid)[1])


def _own(pid: int) -> int:
    """utime, stime, and what its ended children took."""
    return sum(int(ticks) for ticks in _stat(pid)[11:15])


def _tree(pid: int) -> list[int]:
    """A process and all below it."""
    below: dict[int, list[int]] = {}
    for one in Path("/proc").iterdir():
        if one.name.isdigit():
            with contextlib.suppress(OSError):
                below.setdefault(_parent(int(one.name)), []).append(int(one.name))
    tree = [pid]
    for one in tree:  # grows meanwhile
        tree += below.get(one, [])
    return tree

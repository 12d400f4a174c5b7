"""What the product's processes take of the machine, sampled: memory, threads, open files, each over its own life."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from math import sqrt
from pathlib import Path
from statistics import fmean

from config.launch import process
from tests.chaos.children import Child

PRODUCT = ("web", "send", "sender", "digest", "webhooks", "beat", "worker")
PPID, THREADS, STARTED = 1, 17, 19  # of /proc/PID/stat behind the name


@dataclass
class Life:
    """One process from its first sample to its last."""

    name: str
    moments: list[float] = field(default_factory=list)  # seconds
    own_mb: list[float] = field(default_factory=list)  # not pages of files, which the kernel takes and brings back
    threads: list[int] = field(default_factory=list)
    files: list[int] = field(default_factory=list)

    @property
    def lasted_s(self) -> float:
        return self.moments[-1] - self.moments[0]

    def warmed_up(self, after_s: float) -> Life:
        """Without its first seconds."""
        start = next((n for n, at in enumerate(self.moments) if at - self.moments[0] >= after_s), len(self.moments))
        return Life(self.name, self.moments[start:], self.own_mb[start:], self.threads[start:], self.files[start:])


@dataclass(frozen=True)
class Slope:
    """Memory over time by least squares; `doubt` is two standard errors, more the longer a level lasts."""

    mb_per_h: float
    doubt: float
    grown_mb: float  # along the line


class Vitals:
    """Of all processes below the run's children of these names."""

    def __init__(self, children: Sequence[Child]) -> None:
        self._children = children  # grows meanwhile
        self.lives: dict[tuple[int, str], Life] = {}
        self.peak_mb: dict[str, float] = {}

    def sample(self) -> None:
        now, stats = time.monotonic(), dict(_stats())
        below: dict[int, list[int]] = {}
        for pid, stat in stats.items():
            below.setdefault(int(stat[PPID]), []).append(pid)
        for child in self._children:
            if child.name in PRODUCT and child.code is None:
                for pid in _tree(child.pid, below):
                    if pid in stats:
                        self._note(child.name, pid, stats[pid], now)

    def _note(self, name: str, pid: int, stat: list[str], now: float) -> None:
        if not (memory := _memory(pid)):
            return  # it has just ended
        life = self.lives.setdefault((pid, stat[STARTED]), Life(name))
        life.moments.append(now)
        life.own_mb.append(memory["RssAnon"] + memory["VmSwap"])
        life.threads.append(int(stat[THREADS]))
        life.files.append(_files(pid))
        self.peak_mb[name] = max(self.peak_mb.get(name, 0.0), memory["VmHWM"])


def slope_of(life: Life) -> Slope:
    """Residuals of memory hang together, so that n samples say as much as n (1 - r) / (1 + r) independent ones."""
    hours = [at / 3600 for at in life.moments]
    middle, level = fmean(hours), fmean(life.own_mb)
    spread = sum((at - middle) ** 2 for at in hours)
    slope = sum((at - middle) * (mb - level) for at, mb in zip(hours, life.own_mb, strict=True)) / spread
    rest = [mb - level - slope * (at - middle) for at, mb in zip(hours, life.own_mb, strict=True)]
    squares = sum(one * one for one in rest)
    together = sum(one * other for one, other in pairwise(rest)) / squares if squares else 0.0
    worth = max(3.0, len(rest) * (1 - max(0.0, together)) / (1 + max(0.0, together)))
    error = sqrt(squares / len(rest) / (worth - 2) / (spread / len(rest)))
    return Slope(slope, 2 * error, slope * (hours[-1] - hours[0]))


def _stats() -> Iterable[tuple[int, list[str]]]:
    for pid in process.every():
        try:
            text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
        except OSError:
            continue
        fields = text.rpartition(")")[2].split()
        if fields[0] != "Z":
            yield pid, fields


def _tree(pid: int, below: dict[int, list[int]]) -> list[int]:
    tree = [pid]
    for one in tree:  # grows meanwhile
        tree += below.get(one, [])
    return tree


def _memory(pid: int) -> dict[str, float]:
    """What the kernel says of it, in MB: VmHWM is the most that it ever had, shared pages too."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(errors="replace").splitlines()
    except OSError:
        return {}
    pairs = (line.partition(":") for line in lines if line.endswith(" kB"))
    return {name: int(value.split()[0]) / 1024 for name, _, value in pairs}  # nothing, if it is a zombie


def _files(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0

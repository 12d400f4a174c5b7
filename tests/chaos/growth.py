"""Whether processes take more and more of the machine: memory, threads, open files, connections to the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import Any

from django.db import connection as database

from tests.chaos.rig import Rig
from tests.chaos.vitals import Life, Slope, slope_of

JUDGED_S, LEAST_SAMPLES = 600.0, 10  # what was measured for less says nothing of a slope
MB_PER_H, NOISE_MB = 1.0, 2.0
COURSE_S = 180.0
MORE_THREADS, MORE_FILES, MORE_CONNECTIONS = 3, 10, 10
POOL_THREADS = 22  # a sender's own and one for each request that its connection allows at once; they come as needed
POOLED = ("sender: threads", "send: threads")


def grows(slope: Slope) -> bool:
    """Above the bar by more than its doubt, and by more than an allocator's step all in all."""
    return slope.mb_per_h - slope.doubt > MB_PER_H and slope.grown_mb > NOISE_MB


def memory(rig: Rig, lives: Iterable[Life]) -> dict[str, Any]:
    """The steepest process of each kind; what was measured too shortly is shown and not judged."""
    steepest: dict[str, dict[str, Any]] = {}
    for life in lives:
        if len(life.moments) < LEAST_SAMPLES:
            continue
        slope, judged = slope_of(life), life.lasted_s >= JUDGED_S
        words = f"{slope.mb_per_h:.1f} ± {slope.doubt:.1f} MB/h, {slope.grown_mb:.1f} MB in {life.lasted_s:.0f} s"
        rig.expect(not (judged and grows(slope)), f"{life.name} grows: {words}")
        known = steepest.setdefault(life.name, {"mb_per_h": slope.mb_per_h, "processes": 0})
        known["processes"] += 1
        if slope.mb_per_h >= known["mb_per_h"]:
            known |= {"mb_per_h": round(slope.mb_per_h, 2), "doubt": round(slope.doubt, 2), "judged": judged}
            known |= {"grown_mb": round(slope.grown_mb, 2), "mean_mb": round(fmean(life.own_mb))}
            known |= {"measured_s": round(life.lasted_s), "course_mb": _course(life)}
    rig.expect(steepest, "no process lived long enough to be measured")
    return steepest


def _course(life: Life) -> list[float]:
    """Its memory in each stretch of its life, on average: whether a growth goes on or ends."""
    stretches: dict[int, list[float]] = {}
    for at, mb in zip(life.moments, life.own_mb, strict=True):
        stretches.setdefault(int((at - life.moments[0]) // COURSE_S), []).append(mb)
    return [round(fmean(stretch), 1) for stretch in stretches.values()]


def threads_and_files(rig: Rig, lives: Iterable[Life]) -> dict[str, list[int]]:
    """Of each kind the process with the largest growth: the most in its first third, the most in its last."""
    shown: dict[str, list[int]] = {}
    for life in lives:
        for what, counts, more in (("threads", life.threads, MORE_THREADS), ("files", life.files, MORE_FILES)):
            if len(counts) >= LEAST_SAMPLES:
                pair = _thirds(rig, f"{life.name}: {what}", counts, more)
                known = shown.setdefault(f"{life.name} {what}", pair)
                shown[f"{life.name} {what}"] = max(known, pair, key=lambda one: (one[1] - one[0], one[1]))
    return shown


def of_connections(rig: Rig, counts: Sequence[int]) -> list[int]:
    return _thirds(rig, "connections to the database", counts, MORE_CONNECTIONS) if len(counts) >= 3 else list(counts)


def connections() -> int:
    """Open ones to the database, ours too."""
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return cursor.fetchone()[0]


def _thirds(rig: Rig, what: str, counts: Sequence[int], more: int) -> list[int]:
    third = len(counts) // 3
    first, last = max(counts[:third]), max(counts[-third:])
    allowed = max(first + more, POOL_THREADS) if what in POOLED else first + more
    rig.expect(last <= allowed, f"{what}: {first}, later {last}")
    return [first, last]

"""A leak is seen in the noise of a living process, and noise is no leak."""

from __future__ import annotations

import random

import pytest

from tests.chaos.growth import grows
from tests.chaos.vitals import Life, slope_of

EVERY_S, MINUTES = 10, 27


def life(mb_per_h: float, *, seed: int, step_mb: float = 0.0) -> Life:
    """Memory that wanders by some tenths of a MB and keeps each level for a while; a step comes half-way."""
    chance, wandering, one = random.Random(seed), 0.0, Life("web")
    for n in range(MINUTES * 60 // EVERY_S):
        wandering = 0.9 * wandering + chance.gauss(0, 0.1)
        one.moments.append(n * EVERY_S)
        step = step_mb if n * 2 > MINUTES * 60 // EVERY_S else 0.0
        one.own_mb.append(100 + wandering + step + mb_per_h * n * EVERY_S / 3600)
    return one


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_no_leak(seed: int):
    assert not grows(slope_of(life(0, seed=seed)))


@pytest.mark.parametrize("seed", range(20))
def test_one_step_of_an_allocator_is_no_leak(seed: int):
    assert not grows(slope_of(life(0, seed=seed, step_mb=1.0)))


@pytest.mark.parametrize("seed", range(20))
def test_a_leak_of_some_mb_an_hour_is_seen(seed: int):
    assert grows(slope_of(life(8, seed=seed)))


def test_the_slope_is_that_of_the_line():
    slope = slope_of(life(8, seed=1))
    assert slope.mb_per_h == pytest.approx(8, abs=slope.doubt)
    assert slope.grown_mb == pytest.approx(8 * 27 / 60, abs=1)


def test_the_first_minutes_are_left_out():
    warm = life(0, seed=1).warmed_up(180)
    assert warm.moments[0] == 180
    assert len(warm.moments) == len(warm.own_mb) == (MINUTES - 3) * 6

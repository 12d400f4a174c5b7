"""The short selection: each scenario small, with a seed of its own, in a process of its own."""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys

import pytest

from tests.chaos import catalogue
from tests.rig import OURS, ROOT

SHORT = {  # name → scale
    "R1": 0.05,
    "R3": 0.03,
    "R4": 0.33,
    "R7": 0.1,
    "R17": 0.1,
    "R18": 0.1,
    "R19": 0.05,
    "R20": 0.1,
    "R21": 0.1,
}
SEED = 20261125


def test_every_scenario_says_in_a_line_what_it_shows():
    assert set(SHORT) <= set(catalogue.names())
    assert all(len(shows) > 20 for shows in catalogue.names().values())


@pytest.mark.parametrize("name", catalogue.names())
def test_a_scenario_that_no_test_runs_can_at_least_begin(name: str):
    assert callable(importlib.import_module(catalogue.module_of(name)).run)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", SHORT)
def test_a_scenario_finds_nothing(name: str):
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos.run", name, "--seed", str(SEED), "--scale", str(SHORT[name])],
        cwd=ROOT, env=_clean(), capture_output=True, text=True, timeout=580, check=False,
    )  # fmt: skip
    print(done.stdout, done.stderr[-4_000:])
    assert done.stdout, "it said nothing"
    assert json.loads(done.stdout.splitlines()[-1])["findings"] == []
    assert done.returncode == 0


def _clean() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in OURS}

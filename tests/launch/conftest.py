"""Tests here start real processes; each finds its way back through `/proc` or an exit code."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.launch.problem import ROOT
from config.launch.supervisor import Supervisor

Script = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def supervisor(tmp_path) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path, tmp_path / "children.json")
    yield supervisor
    supervisor.stop(*supervisor.children)


@pytest.fixture
def script(tmp_path) -> Script:
    """Run Python source as a file of its own, outside any `.venv`: the standard library and our packages."""

    def run(source: str, **more: str) -> subprocess.CompletedProcess[str]:
        file = tmp_path / "script.py"
        file.write_text(source)
        python = os.path.join(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}")
        env = {name: value for name, value in os.environ.items() if name not in ("VIRTUAL_ENV", "PYTHONHOME")}
        env |= {"PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"} | more
        return subprocess.run(
            [python, "-S", str(file)], env=env, capture_output=True, text=True, timeout=120, check=False
        )

    return run


@pytest.fixture
def root_folder(tmp_path) -> Path:
    """A project folder of its own that asks for no package at all."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "requirements.txt").write_text("")
    return folder

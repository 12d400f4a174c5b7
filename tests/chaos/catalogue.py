"""The scenarios: one file each, named after its bar (R) or fault (F); its first line says what it shows.

`run(rig)` gives figures.
"""

from __future__ import annotations

import ast
from pathlib import Path

FOLDER = Path(__file__).parent / "scenarios"


def names() -> dict[str, str]:
    """Name → what it shows, in order; read, not imported."""
    return {_name(path): (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n")[0] for path in _files()}


def module_of(name: str) -> str:
    """Raises KeyError for a name that is none."""
    found = {_name(path): path for path in _files()}
    return f"tests.chaos.scenarios.{found[name].stem}"


def _files() -> list[Path]:
    return sorted(FOLDER.glob("[fr][0-9][0-9]_*.py"))


def _name(path: Path) -> str:
    return f"{path.stem[0].upper()}{int(path.stem[1:3])}"

"""The scenarios: one file each, named after its bar; its first line says what it shows, `run(rig)` gives figures."""

from __future__ import annotations

import ast
from pathlib import Path

FOLDER = Path(__file__).parent / "scenarios"


def names() -> dict[str, str]:
    """Name → what it shows, in order; read, not imported."""
    files = sorted(FOLDER.glob("r[0-9][0-9]_*.py"))
    return {_name(path): (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n")[0] for path in files}


def module_of(name: str) -> str:
    """Raises KeyError for a name that is none."""
    found = {_name(path): path for path in FOLDER.glob("r[0-9][0-9]_*.py")}
    return f"tests.chaos.scenarios.{found[name].stem}"


def _name(path: Path) -> str:
    return f"R{int(path.stem[1:3])}"

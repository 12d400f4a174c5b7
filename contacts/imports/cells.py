"""Cells that a spreadsheet would run as a formula (CSV injection, OWASP ASVS 5.0 1.2.10), and the quote against it."""

import re

TRIGGERS = "=+\\-@\t\r\n\0＝＋－＠"  # with their full-width forms
RUNS = re.compile(f"'*[{TRIGGERS}]")
GUARDED = re.compile(f"''*[{TRIGGERS}]")


def guard(cell: str) -> str:
    """The cell as text to every spreadsheet; `unguard` gives it back exactly."""
    return f"'{cell}" if RUNS.match(cell) else cell


def unguard(cell: str) -> str:
    return cell[1:] if cell[:1] == "'" and GUARDED.match(cell) else cell

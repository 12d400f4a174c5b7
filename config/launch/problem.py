"""The one way these commands give up: a clear sentence and an exit code."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


class Problem(Exception):
    """Ends the command with its sentence on stderr; 2 = something for the person to put right, 1 = it went wrong."""

    def __init__(self, sentence: str, code: int = 2) -> None:
        super().__init__(sentence)
        self.code = code

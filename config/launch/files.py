"""Small files of a run: private, whole or not there, and logs that keep one predecessor."""

import os
import tempfile
from pathlib import Path


def write_private(path: Path, text: str) -> None:
    """Replace `path` at once with a file that only its owner can read."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mkstemp makes it 0600
    with open(handle, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)


def rotate(log: Path) -> None:
    if log.exists():
        log.replace(log.with_name(f"{log.name}.1"))


def tail(log: Path, lines: int) -> str:
    try:
        with open(log, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - 64 * 1024))
            return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""

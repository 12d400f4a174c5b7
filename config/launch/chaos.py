"""`manage.py chaos`: faults on purpose, against servers that the rig starts and breaks itself."""

import subprocess
import sys
from collections.abc import Sequence


def run(options: Sequence[str]) -> int:
    """The exit code of `python -m tests.chaos`, which reads the arguments: 1 if anything was found."""
    return subprocess.run([sys.executable, "-m", "tests.chaos", *options], check=False).returncode

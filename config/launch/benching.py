"""`manage.py bench`: the benchmarks against a PostgreSQL that waits for its disk, as in production."""

import subprocess
import sys
from collections.abc import Sequence

from config.launch import throwaway


def run(options: Sequence[str]) -> int:
    """The exit code of `python -m bench`, which reads the arguments."""
    with throwaway.servers(durable=True) as env:
        return subprocess.run([sys.executable, "-m", "bench", *options], env=env, check=False).returncode

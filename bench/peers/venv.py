"""A virtual environment for the length of the run: what the peers need is no dependency of ours."""

import subprocess
import sys
from pathlib import Path

from bench.peers.patience import LIMIT_S

PACKAGES = (
    "celery==5.7.0", "django==5.2.19", "django-post-office==3.12.0", "psycopg[binary]==3.3.9", "redis==8.1.0",
    "requests==2.34.2", "packaging",
)  # fmt: skip


def make(folder: Path) -> Path:
    """The folder of its programs."""
    print(f"a virtual environment with {', '.join(PACKAGES)} …", flush=True)
    programs = folder / "bin"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, timeout=LIMIT_S)
    pip = [str(programs / "python"), "-m", "pip", "install", "-q", "--disable-pip-version-check", *PACKAGES]
    subprocess.run(pip, check=True, timeout=LIMIT_S, stderr=subprocess.DEVNULL)
    return programs

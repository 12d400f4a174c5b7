"""A PostgreSQL data folder with every migration applied, made once for each state of the migrations and then copied."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from config.launch import services
from config.launch.home import SECRETS
from config.launch.problem import ROOT
from config.launch.supervisor import Supervisor

KEPT = ROOT / "var" / "chaos"


def lay(folder: Path) -> None:
    """Copy it to `folder`/<major>, where the launcher looks for data."""
    shutil.copytree(prepared(), folder)


def prepared() -> Path:
    """The folder that holds <major>; made if the migrations have changed since the last time."""
    ready = KEPT / f"ground-{_state_of_migrations()}"
    if not ready.is_dir():
        KEPT.mkdir(parents=True, exist_ok=True)
        for outdated in KEPT.glob("ground-*"):
            shutil.rmtree(outdated, ignore_errors=True)
        _make(ready)
    return ready


def _state_of_migrations() -> str:
    said = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    for path in sorted(ROOT.glob("*/migrations/*.py")):
        said.update(path.read_bytes())
    return said.hexdigest()[:12]


def _make(ready: Path) -> None:
    """Beside the final name, then renamed: a killed start leaves nothing half-made."""
    home = Path(tempfile.mkdtemp(prefix="making-", dir=KEPT))
    found = services.find(home, durable=False, keep=False, given=False)
    supervisor = Supervisor(home, home / "children.json")
    try:
        found.start(supervisor)
        _migrate(home, found)
        supervisor.stop("valkey", "postgres")
        assert found.postgres
        shutil.copytree(found.postgres.data, home / "kept" / found.postgres.data.name)
        _keep(home / "kept", ready)
    finally:
        supervisor.stop("valkey", "postgres")
        found.discard()
        shutil.rmtree(home, ignore_errors=True)


def _keep(made: Path, ready: Path) -> None:
    try:
        made.rename(ready)
    except OSError:  # another run, just as early, was quicker
        if not ready.is_dir():
            raise


def _migrate(home: Path, found: services.Services) -> None:
    env = {name: make() for name, make in SECRETS.items()} | {
        "SWITCHBOARD_HOME": str(home), "DATABASE_URL": found.database_url, "REDIS_URL": found.redis_url,
    }  # fmt: skip
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=os.environ | env, check=True)

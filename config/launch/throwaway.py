"""PostgreSQL and Valkey for one command: nothing of them outlives it."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.launch import services
from config.launch.home import SECRETS
from config.launch.problem import ROOT
from config.launch.supervisor import Supervisor


@contextmanager
def servers(*, durable: bool) -> Iterator[dict[str, str]]:
    """The environment that names them. `durable` ones wait for the disk that the product's own data would lie on."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    home = _home(ROOT / "var" if durable else None)
    supervisor = Supervisor(home, home / "children.json")
    try:
        found = services.find(home, durable=durable, keep=False, given=False)
        try:
            found.start(supervisor)
            yield os.environ | _settings(home, found)
        finally:
            supervisor.stop("valkey", "postgres")
            found.discard()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _home(parent: Path | None) -> Path:
    if parent:
        parent.mkdir(exist_ok=True)
    return Path(tempfile.mkdtemp(prefix="switchboard-", dir=parent))


def _settings(home: Path, found: services.Services) -> dict[str, str]:
    return {name: make() for name, make in SECRETS.items()} | {
        "SWITCHBOARD_HOME": str(home),
        "DATABASE_URL": found.database_url,
        "REDIS_URL": found.redis_url,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "STATICFILES_STORAGE": "django.contrib.staticfiles.storage.StaticFilesStorage",
        "HTTPS": "0",
        "DEBUG": "0",
    }

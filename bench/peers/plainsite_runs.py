"""Runs the plain Django site of bench/peers/plainsite in its own virtual environment and database.

Two peers share it: django-post-office, 2 processes of 8 threads, and a Celery task a recipient, 2 worker processes.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection as database

from bench.house import PROCESSES
from bench.peers.letters import Letter
from bench.peers.patience import LIMIT_S, ended
from bench.sink import Tally

DATABASE = "plainsite"
THREADS = 8


@dataclass(frozen=True)
class Site:
    programs: Path
    env: dict[str, str]

    def program(self, name: str, *arguments: str, **options: object) -> subprocess.Popen:
        command = [str(self.programs / name), *arguments]
        return subprocess.Popen(command, cwd=Path(__file__).parent, env=self.env, text=True, **options)  # type: ignore[call-overload]

    def rate(self, module: str, work: list[Letter]) -> float:
        """What the module says once it has sent all: seconds from when its rows stood until their outcomes did."""
        sender = self.program("python", "-m", module, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        with ended(sender):
            told, _ = sender.communicate(json.dumps(work), timeout=LIMIT_S)
        if sender.returncode:
            raise RuntimeError(f"{module} ended with {sender.returncode}")
        said = json.loads(told.strip().splitlines()[-1])
        assert said["sent"] == len(work), said
        return len(work) / said["seconds"]


@contextmanager
def running(url: str, programs: Path) -> Iterator[Site]:
    """A fresh database, and the Celery worker."""
    _database("DROP DATABASE IF EXISTS", "WITH (FORCE)")
    _database("CREATE DATABASE")
    site = Site(programs, _env(url, programs))
    with ended(site.program("python", "-m", "django", "migrate", "-v", "0", "--run-syncdb")) as migrating:
        assert migrating.wait(LIMIT_S) == 0
    worker = ("worker", "-c", str(PROCESSES), "--without-gossip", "--without-mingle", "--loglevel", "ERROR")
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    try:
        with ended(site.program("celery", "-q", "-A", "plainsite.by_task", *worker, **quiet)):
            yield site
    finally:
        _database("DROP DATABASE IF EXISTS", "WITH (FORCE)")


def _env(url: str, programs: Path) -> dict[str, str]:
    """Names the sink, the same PostgreSQL and the same broker; none of our secrets."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
    at = database.get_connection_params()
    server = {f"PG{name.upper()}": str(at[name]) for name in ("host", "port", "user", "password") if at.get(name)}
    return kept | server | {
        "DJANGO_SETTINGS_MODULE": "plainsite.settings",
        "PGDATABASE": DATABASE,
        "BROKER_URL": settings.CELERY_BROKER_URL,
        "SINK_URL": url,
        "PROCESSES": str(PROCESSES),
        "THREADS": str(THREADS),
        "LOCK": str(programs / "lock"),
        "C_FORCE_ROOT": "1",
    }  # fmt: skip


def _database(verb: str, how: str = "") -> None:
    with database.cursor() as cursor:
        cursor.execute(f"{verb} {DATABASE} {how}")


@dataclass(frozen=True)
class PostOffice:
    site: Site

    def send(self, work: list[Letter], _tally: Tally) -> float:
        return self.site.rate("plainsite.by_post_office", work)


@dataclass(frozen=True)
class TaskEach:
    site: Site

    def send(self, work: list[Letter], _tally: Tally) -> float:
        return self.site.rate("plainsite.by_task", work)

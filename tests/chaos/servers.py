"""The two servers of one run, which may die and come back: PostgreSQL with fsync, Valkey that keeps nothing."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import redis

from config.launch import postgres, process, services, valkey
from config.launch.home import SECRETS
from tests.chaos import children, ground
from tests.chaos.children import Child

START_S = 60
SETTINGS = {"track_commit_timestamp": "on", "max_connections": "200"}  # the checker reads the order of commits


class Database:
    """PostgreSQL, durable as in production."""

    def __init__(self, server: postgres.Postgres, log: Path) -> None:
        self.server, self._log = server, log
        self.child: Child | None = None
        self.on_start: Callable[[], object] = lambda: None  # connections from before lead nowhere

    @property
    def socket(self) -> str:
        return f"{self.server.sockets}/.s.PGSQL.5432"

    def start(self, **settings: str) -> None:
        """Ready when this returns; `settings` hold until the next start."""
        self.server.clear()
        more = [part for name, value in (SETTINGS | settings).items() for part in ("-c", f"{name}={value}")]
        argv = [*self.server.argv, *more]
        become = self.server.runs_as.become
        self.child = children.spawn("postgres", argv, log=self._log, cwd=Path("/"), become=become)
        if not process.wait(self.server.ready, START_S):
            raise RuntimeError(f"PostgreSQL did not start: {self._log.read_text()[-2000:]}")
        self.on_start()

    def crash(self) -> None:
        """What `pg_ctl -m immediate` does: no checkpoint, no goodbye; what was not flushed is gone."""
        self._end(signal.SIGQUIT)

    def stop(self) -> None:
        self._end(signal.SIGINT)

    def restart(self, **settings: str) -> None:
        """Crash and come back."""
        self.crash()
        self.start(**settings)

    def _end(self, number: int) -> None:
        if self.child and self.child.alive:
            os.kill(self.child.pid, number)
            self.child.wait(60)


class Broker:
    """Valkey without any persistence."""

    def __init__(self, server: valkey.Valkey, log: Path) -> None:
        self.server, self._log = replace(server, durable=False), log
        self.child: Child | None = None

    def start(self) -> None:
        self.child = children.spawn("valkey", self.server.argv, log=self._log)
        if not process.wait(self.server.ready, START_S):
            raise RuntimeError(f"Valkey did not start: {self._log.read_text()[-2000:]}")

    def flush(self) -> None:
        redis.Redis.from_url(self.server.url).flushall()

    def crash(self) -> None:
        """kill -9; it comes back empty."""
        if self.child:
            self.child.kill()

    def restart(self) -> None:
        self.crash()
        self.start()


class Servers:
    """Both, in a home of their own, with a database that has all tables and no row."""

    def __init__(self, home: Path) -> None:
        self.home = home
        ground.lay(home / "pg")
        self._found = services.find(home, keep=False, given=False)
        assert self._found.postgres
        assert self._found.valkey
        self.database = Database(self._found.postgres, home / "postgres.log")
        self.broker = Broker(self._found.valkey, home / "valkey.log")

    def start(self) -> None:
        self.broker.start()
        self.database.start()

    def stop(self) -> None:
        self.broker.crash()
        self.database.crash()
        self.database.server.clear()
        self._found.discard()
        shutil.rmtree(self.home, ignore_errors=True)

    def environment(self) -> dict[str, str]:
        """What a product process needs to find them."""
        return {name: make() for name, make in SECRETS.items()} | {
            "SWITCHBOARD_HOME": str(self.home),
            "DATABASE_URL": self._found.database_url,
            "REDIS_URL": self._found.redis_url,
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "STATICFILES_STORAGE": "django.contrib.staticfiles.storage.StaticFilesStorage",
            "CELERY_BEAT_FILE": str(self.home / "beat"),
            "HTTPS": "0",
            "DEBUG": "0",
        }

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from django.db import connection as database

from messaging.receiving import door
from messaging.receiving.door import _Door
from messaging.receiving.spool import spool


@pytest.fixture
def spool_dir(settings, tmp_path, monkeypatch) -> Iterator[Path]:
    """A spool of the test's own, and a door that has seen nothing yet."""
    settings.SPOOL_DIR = tmp_path / "spool"
    monkeypatch.setattr(door, "_door", _Door())
    yield settings.SPOOL_DIR
    spool.close()


@pytest.fixture
def database_away(monkeypatch, tmp_path) -> Callable[..., AbstractContextManager[None]]:
    """A block in which nobody listens where PostgreSQL was; `silent`: somebody does, and never says a word."""

    @contextmanager
    def away(*, silent: bool = False) -> Iterator[None]:
        with socket.socket(socket.AF_UNIX) as listener, monkeypatch.context() as patch:
            if silent:
                listener.bind(str(tmp_path / ".s.PGSQL.5432"))
                listener.listen()
            patch.setitem(database.settings_dict, "HOST", str(tmp_path))
            patch.setitem(database.settings_dict, "PORT", "5432")
            database.close()
            yield
        database.close()
        door._door.away_until = 0.0

    return away

import socket
import time

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from config.celery import app

pytestmark = pytest.mark.django_db(transaction=True)


def test_alive_says_ok_to_anybody(client):
    answer = client.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok")


def test_ready_with_database_and_broker(client):
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "database": "ok", "broker": "ok"}


@pytest.fixture
def silent_socket(tmp_path):
    """A socket that takes connections and never says a word."""
    path = str(tmp_path / "silent.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        yield path


def test_a_silent_broker_degrades_but_stays_ready(client, silent_socket, monkeypatch):
    monkeypatch.setattr(app.conf, "broker_write_url", f"redis+socket://{silent_socket}")
    started = time.monotonic()
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ready", "database": "ok", "broker": "degraded"}
    assert time.monotonic() - started < 1.5


def test_an_unapplied_migration_makes_it_unready(client):
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied("messaging", "0001_initial")
    try:
        answer = client.get("/readyz")
    finally:
        recorder.record_applied("messaging", "0001_initial")
    assert answer.status_code == 503
    assert answer.json()["database"] == "unapplied migrations"


def test_a_database_that_is_away_makes_it_unready(client, settings, monkeypatch):
    monkeypatch.setitem(connection.settings_dict, "HOST", "/nonexistent")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["database"] == "down"

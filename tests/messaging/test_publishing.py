"""A hint may be lost; it never costs its sender more than a moment."""

from __future__ import annotations

import os
import socket
import subprocess
import sys

import pytest

from config.celery import app
from config.launch.problem import ROOT
from messaging import tasks
from tests.factories import make_connection, make_mt

TIMED = """
import time, django
django.setup()
from messaging import tasks
from messaging.publishing import publish
from celery import current_app
current_app.loader.import_default_modules()
for _ in range(2):
    began = time.monotonic()
    publish(tasks.tick)
    print(time.monotonic() - began)
"""


def timed(broker: str) -> list[float]:
    """How long each of two hints took in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", TIMED],
        env=os.environ | {"CELERY_BROKER_URL": broker, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return [float(line) for line in done.stdout.split()]


def test_a_broker_that_accepts_and_never_answers_costs_a_third_of_a_second_once():
    with socket.create_server(("127.0.0.1", 0)) as server:
        first, second = timed(f"redis://127.0.0.1:{server.getsockname()[1]}/0")
    assert first < 0.3 + 0.5  # what the first hint imports is in it
    assert second < 0.01


def test_a_broker_that_is_not_there_costs_nothing():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    first, second = timed(f"redis://127.0.0.1:{port}/0")
    assert first < 0.3 + 0.5
    assert second < 0.01


@pytest.mark.parametrize(
    ("redis_url", "broker"),
    [
        ("unix:///run/valkey.sock?db=9", ("/run/valkey.sock", "9")),
        ("redis://:pw@cache:6379/3", ("cache", "3")),
    ],
)
def test_the_broker_is_the_database_that_redis_url_names(redis_url, broker):
    env = {name: value for name, value in os.environ.items() if name != "CELERY_BROKER_URL"}
    code = (
        "import django; django.setup(); from config.celery import app; from kombu.transport.redis import Channel; "
        "found = app.connection_for_write(); channel = Channel.__new__(Channel); channel.connection = found.transport; "
        "params = channel._connparams(); print(params.get('path') or params['host'], params['db'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=env | {"REDIS_URL": redis_url, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert tuple(done.stdout.split()) == broker


@pytest.mark.django_db
def test_draining_all_is_a_hint_for_each_connection_with_work(monkeypatch):
    hints: list[tuple[str, int, float]] = []
    monkeypatch.setattr(tasks, "publish", lambda task, *args, expires_s: hints.append((task.name, *args, expires_s)))
    busy = [make_mt().connection_id for _ in range(3)]
    make_connection()
    make_mt(connection=make_connection(state="paused"))
    tasks.drain_all()
    assert sorted(hints) == [("messaging.tasks.drain", pk, tasks.BEAT_S) for pk in busy]


def test_no_task_can_run_into_its_limit_while_it_gets_anywhere(settings):
    lease = settings.FIRST_BYTE_S + settings.PROVIDER_DEADLINE_S + 5
    assert tasks.drain.time_limit > tasks.DRAIN_BUDGET_S + lease + 60  # worker.WRITE_FOR_S
    assert tasks.tick.time_limit > app.conf.task_time_limit


def test_no_hint_is_ever_given_back_to_a_broker():
    """Giving it back to one that is gone raises in kombu, and that ended the whole worker."""
    with app.connection_for_read() as broker:
        assert broker.default_channel.ack_emulation is False

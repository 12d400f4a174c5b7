"""`manage.py drain --forever`: told to end it sees out what is in flight; a database that is away does not end it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from django.db import connection as database

from config.launch.problem import ROOT
from messaging import sending
from messaging.clock import db_now
from messaging.models import Message, ProviderRequest
from tests.factories import make_contact, make_running_campaign

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def draining() -> Iterator[subprocess.Popen[bytes]]:
    """The command in a process of its own, on the test's database."""
    database.ensure_connection()
    found = database.connection.info
    url = f"postgres://{found.user}:{found.password}@/{found.dbname}?host={found.host}&port={found.port}"
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "drain", "--forever"],
        env=os.environ | {"DATABASE_URL": url},
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def until(happened: Callable[[], object], at_most_s: float = 20) -> None:
    end = time.monotonic() + at_most_s
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_told_to_end_it_sees_out_what_is_in_flight_and_claims_nothing_more(connection, twin, number):
    campaign = make_running_campaign(connection, [make_contact(name="A")])
    twin.control("faults", faults=[{"fault": "slow", "at": [1]}])  # 5 s
    with draining() as process:
        until(ProviderRequest.objects.exists)
        process.send_signal(number)
        later = make_running_campaign(connection, [make_contact(name="B")])
        assert process.wait(20) == 0
    sending.reap(db_now() + timedelta(minutes=5))
    assert Message.objects.get(campaign=campaign).send_state == "accepted"
    assert Message.objects.get(campaign=later).send_state == "queued"


def test_a_second_ctrl_c_ends_it_at_once(connection, twin):
    make_running_campaign(connection, [make_contact(name="A")])
    twin.control("faults", faults=[{"fault": "slow", "at": [1]}])
    with draining() as process:
        until(ProviderRequest.objects.exists)
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == -signal.SIGTERM
    assert time.monotonic() - began < 4


def test_a_database_that_is_away_for_some_seconds_does_not_end_it(connection, twin):
    name = database.settings_dict["NAME"]
    others = "FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    server = database.get_connection_params() | {"dbname": "postgres"}
    login = {key: server[key] for key in ("dbname", "user", "password", "host", "port") if server.get(key)}
    with draining() as process, psycopg.connect(**login, autocommit=True) as admin:
        database.close()
        until(lambda: admin.execute(f"SELECT count(*) {others}", [name]).fetchone()[0])
        admin.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS false")
        try:
            admin.execute(f"SELECT pg_terminate_backend(pid) {others}", [name])
            time.sleep(3)
        finally:
            admin.execute(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS true")
        assert process.poll() is None
        campaign = make_running_campaign(connection, [make_contact(name="A")])
        until(lambda: Message.objects.get(campaign=campaign).send_state == "accepted")

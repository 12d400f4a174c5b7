"""The fault proxy does what it is told: else a scenario that survives it has survived nothing."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.db import connection as database

from tests.chaos.proxies import Wire
from tests.messaging.misbehaving import Visit, serving

HELLO, ANSWER = b"x" * 100, b"y" * 100


def polite(visit: Visit) -> None:
    while len(visit.received) % 100 == 0:
        visit.read(100)
        visit.sock.sendall(ANSWER)


@pytest.fixture
def wire(tmp_path: Path) -> Iterator[Wire]:
    with serving(polite) as server:
        wire = Wire(f"127.0.0.1:{server.port}", log=tmp_path / "proxy.log")
        yield wire
        wire.stop()


@pytest.fixture
def client(wire: Wire) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", wire.port), timeout=5) as sock:
        yield sock


def asked(sock: socket.socket) -> bytes:
    sock.sendall(HELLO)
    return sock.recv(1000)


def everything_from(sock: socket.socket) -> bytes:
    return b"".join(iter(lambda: sock.recv(1000), b""))


def test_without_rules_everything_passes(client):
    assert asked(client) == ANSWER


def test_latency_delays_both_ways(wire, client):
    wire.rule(latency_s=0.1)
    began = time.monotonic()
    assert asked(client) == ANSWER
    assert time.monotonic() - began >= 0.2


def test_a_black_hole_swallows_until_it_is_lifted(wire, client):
    wire.rule(black_hole=True)
    client.settimeout(0.3)
    with pytest.raises(TimeoutError):
        asked(client)
    wire.rule(black_hole=False)
    client.settimeout(5)
    assert client.recv(1000) == ANSWER


def test_open_connections_are_reset_on_demand(wire, client):
    asked(client)
    wire.reset()
    with pytest.raises(ConnectionResetError):
        client.recv(1000)


def test_new_connections_are_refused(wire):
    """As early as while it connects, or when it reads."""
    wire.rule(refuse=True)
    with pytest.raises(ConnectionError), socket.create_connection(("127.0.0.1", wire.port), timeout=5) as sock:
        everything_from(sock)


def test_an_answer_is_cut_after_so_many_bytes(wire, client):
    wire.rule(cut_answer_after=130)
    assert asked(client) == ANSWER
    client.sendall(HELLO)
    with pytest.raises(ConnectionResetError):
        everything_from(client)
    assert wire.rule()["cuts"] == 1


@pytest.mark.django_db(transaction=True)
def test_a_commit_takes_effect_whose_answer_is_cut(tmp_path):
    given = database.get_connection_params()
    wire = Wire(f"{given['host']}/.s.PGSQL.{given['port']}", log=tmp_path / "proxy.log")
    try:
        with psycopg.connect(host="127.0.0.1", port=wire.port, user=given["user"], dbname=given["dbname"]) as session:
            session.execute("CREATE TABLE chaos_seen (n int)")
            session.commit()
            wire.rule(cut_commit=2)
            for n in (1, 2):
                session.execute("INSERT INTO chaos_seen VALUES (%s)", [n])
                if n == 2:
                    with pytest.raises(psycopg.OperationalError):
                        session.commit()
                else:
                    session.commit()
    finally:
        wire.stop()
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM chaos_seen")
        assert cursor.fetchone()[0] == 2
        cursor.execute("DROP TABLE chaos_seen")

"""The hooks while PostgreSQL is away: nothing is lost, nothing is kept twice, nobody hears 200 without storage."""

from __future__ import annotations

import time
from datetime import timedelta

import psycopg
import pytest
from django.db import DataError, OperationalError, connections
from django.db import connection as database
from django.utils import timezone

from messaging.models import HookToken, InboundRaw
from messaging.receiving import door, draining, patience
from messaging.receiving.call import Call, token_digest
from messaging.receiving.draining import drain_spool
from messaging.receiving.keeping import keep
from messaging.receiving.spool import spool
from tests.contacts.racing import race
from tests.factories import make_connection, make_hook_token

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("spool_dir")]


@pytest.fixture
def token(connection):
    return make_hook_token(connection)


def call(client, token, number=0, kind="dn"):
    return client.generic("POST", f"/hooks/{token}/{kind}?n={number}", f"body {number}".encode(), "text/plain")


def kept():
    return sorted(bytes(raw.body).decode() for raw in InboundRaw.objects.all())


def test_a_call_during_an_outage_is_answered_ok_and_becomes_a_row_once_it_is_over(client, token, database_away):
    with database_away():
        answers = [call(client, token, number) for number in range(3)]
    assert [(answer.status_code, answer.content) for answer in answers] == [(200, b"OK")] * 3
    assert kept() == []
    assert drain_spool() == 3
    assert kept() == ["body 0", "body 1", "body 2"]
    assert drain_spool() == 0


def test_a_moved_call_is_as_it_came(client, connection, token, database_away, spool_dir):
    with database_away():
        client.generic(
            "POST", f"/hooks/{token}/mo?a=%zz", b"\x00\xff", "text/x; charset=gbk", REMOTE_ADDR="203.0.113.9"
        )
    drain_spool()
    raw = InboundRaw.objects.get()
    assert (raw.connection, raw.kind, raw.method, bytes(raw.query)) == (connection, "mo", "POST", b"a=%zz")
    assert (bytes(raw.body), raw.content_type, raw.peer) == (b"\x00\xff", "text/x; charset=gbk", "203.0.113.9")


def test_moved_calls_keep_the_time_and_the_order_in_which_they_came(client, token, database_away):
    call(client, token, 1)
    with database_away():
        call(client, token, 2)
        call(client, token, 3)
    call(client, token, 4)
    time.sleep(0.2)
    drain_spool()
    order = InboundRaw.objects.order_by("received_at", "pk")
    assert [bytes(raw.body) for raw in order] == [b"body 1", b"body 2", b"body 3", b"body 4"]


def test_the_databases_clock_is_told_forward_though_this_machines_is_wrong(client, token, database_away, monkeypatch):
    call(client, token, 1)
    with database_away(), monkeypatch.context() as patch:
        patch.setattr(door, "datetime", None)  # asking this machine's clock would fail
        call(client, token, 2)
    drain_spool()
    assert abs(InboundRaw.objects.latest("pk").received_at - timezone.now()) < timedelta(seconds=5)


@pytest.mark.parametrize("silent", [False, True], ids=["refused", "silent"])
def test_only_the_first_call_waits_and_not_longer_than_half_a_second(client, token, database_away, silent):
    took = []
    with database_away(silent=silent):
        for number in range(4):
            began = time.monotonic()
            assert call(client, token, number).status_code == 200
            took.append(time.monotonic() - began)
    assert took[0] < 1.0
    assert max(took[1:]) < 0.2
    assert drain_spool() == 4


def test_a_session_is_asked_whether_it_is_still_there_only_after_a_rest(client, token, monkeypatch):
    call(client, token)
    asked = []
    monkeypatch.setattr(connections["default"], "is_usable", lambda: not asked.append("are you there?"))
    for _call in range(3):
        begin_request()
        call(client, token)
    assert asked == []
    monkeypatch.setattr(patience, "_LATELY_S", 0.0)
    begin_request()
    call(client, token)
    assert asked == ["are you there?"]


def begin_request():
    """As the server does before each; the test client leaves it out."""
    database.health_check_enabled, database.health_check_done = True, False


def test_a_call_over_a_session_that_the_server_has_just_ended_is_kept_all_the_same(client, token):
    call(client, token, 0)
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        ended = cursor.fetchone()[0]
    with psycopg.connect(**database.get_connection_params()) as other:
        other.execute("SELECT pg_terminate_backend(%s)", [ended])
    assert call(client, token, 1).content == b"OK"
    door._door.away_until = 0.0
    assert call(client, token, 2).content == b"OK"
    drain_spool()
    assert kept() == ["body 0", "body 1", "body 2"]


def test_a_statement_that_hangs_is_left_after_half_a_second_and_stored_once(client, token):
    call(client, token, 0)
    with_lock = race_lock()
    try:
        began = time.monotonic()
        assert call(client, token, 1).status_code == 200
        assert time.monotonic() - began < 1.0
    finally:
        with_lock.close()
    door._door.away_until = 0.0
    drain_spool()
    assert kept() == ["body 0", "body 1"]


def race_lock():
    """Another session holds the table as a migration would."""
    other = database.copy()
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("LOCK TABLE messaging_inboundraw IN ACCESS EXCLUSIVE MODE")
    return other


def test_a_call_whose_first_storing_nobody_saw_succeed_is_not_stored_twice(token):
    same = Call("dn", "POST", b"", "", b"x", truncated=False, peer="203.0.113.9", token=token_digest(token))
    assert keep(same)
    assert keep(same, received_at=timezone.now()) is None
    assert InboundRaw.objects.count() == 1


def test_many_drainers_at_once_move_each_call_once(client, token, database_away):
    with database_away():
        for number in range(30):
            call(client, token, number)
    spool.close()
    race(drain_spool, workers=4)
    assert len(kept()) == 30
    assert len(set(kept())) == 30


def test_a_drainer_killed_after_its_commit_and_before_it_removed_the_file_does_no_harm(
    client, token, database_away, monkeypatch, spool_dir
):
    with database_away():
        call(client, token)
    spool.close()
    with monkeypatch.context() as patch:
        patch.setattr(draining, "_put_away", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            drain_spool()
    assert kept() == ["body 0"]
    assert drain_spool() == 0
    assert kept() == ["body 0"]
    assert list(spool_dir.iterdir()) == []


def test_the_file_stays_while_its_writer_lives_and_goes_once_the_database_took_a_call(
    client, token, database_away, spool_dir
):
    with database_away():
        call(client, token)
    drain_spool()
    assert len(list(spool_dir.iterdir())) == 1
    call(client, token)
    drain_spool()
    assert list(spool_dir.iterdir()) == []


def test_a_strangers_call_is_spooled_too_and_dropped_when_it_is_moved(client, connection, token, database_away):
    fenced = make_hook_token(make_connection(allowed_peers=["198.51.100.0/24"]))
    with database_away():
        for one in ("nobody-knows-me", fenced, token):
            assert call(client, one).status_code == 200
    assert drain_spool() == 1
    assert InboundRaw.objects.get().connection == connection


def test_a_token_revoked_after_the_call_still_opens_for_it(client, connection, token, database_away):
    with database_away():
        call(client, token)
    HookToken.objects.update(revoked_at=timezone.now())
    assert drain_spool() == 1


def test_strangers_cannot_fill_the_spool_for_those_we_know(client, token, database_away, settings):
    settings.SPOOL_MAX_BYTES = 64_000
    call(client, token)
    with database_away():
        strangers = [call(client, "nobody-knows-me", n).status_code for n in range(40)]
        assert call(client, token).status_code == 200
    assert (strangers[0], strangers[-1]) == (200, 503)


def test_a_full_spool_answers_503_and_never_200(client, token, database_away, settings):
    call(client, token)
    with database_away():
        settings.SPOOL_MAX_BYTES = 1_000
        answers = [call(client, token, n) for n in range(9)]
    codes = [answer.status_code for answer in answers]
    assert {200, 503} == set(codes)
    assert answers[-1]["Retry-After"]
    assert drain_spool() == codes.count(200)


def test_a_spool_that_cannot_be_written_answers_503(client, token, database_away, settings, tmp_path):
    (tmp_path / "file").write_text("")
    settings.SPOOL_DIR = tmp_path / "file" / "spool"
    with database_away():
        assert call(client, token).status_code == 503


def test_a_record_that_broke_off_is_taken_back_so_that_the_next_one_is_whole(client, token, database_away, monkeypatch):
    real, broken = draining.spool._write, []

    def full_disk(fd, frame):
        if not broken:
            broken.append(True)
            real(fd, frame[:30])
            raise OSError(28, "No space left on device")
        real(fd, frame)

    monkeypatch.setattr(draining.spool, "_write", full_disk)
    with database_away():
        assert [call(client, token, n).status_code for n in range(3)] == [503, 200, 200]
    assert drain_spool() == 2
    assert kept() == ["body 1", "body 2"]


def test_a_call_that_the_database_will_never_take_holds_up_no_other(
    client, token, database_away, monkeypatch, spool_dir
):
    with database_away():
        for number in range(3):
            call(client, token, number)
    spool.close()
    real = draining.keep

    def picky(one, **when):
        if one.body == b"body 1":
            raise DataError
        return real(one, **when)

    monkeypatch.setattr(draining, "keep", picky)
    assert drain_spool() == 2
    assert kept() == ["body 0", "body 2"]
    assert [path.suffix for path in spool_dir.iterdir()] == [".damaged"]


def test_draining_waits_for_the_database(client, token, database_away):
    with database_away():
        call(client, token)
        with pytest.raises(OperationalError):
            drain_spool()
    assert drain_spool() == 1

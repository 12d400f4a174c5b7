"""Keeps a handful of children running until told to stop."""

import json
import shutil
import signal
import subprocess
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

from config.launch import files, process
from config.launch.problem import Problem
from config.told import Told

DEATHS, WITHIN_S = 5, 60.0  # this many deaths of one child in this time end everything
LEFTOVERS_S = 10.0  # how long what a killed supervisor left may take to stop by itself
PAUSES_S = (0.0, 0.5, 2.0, 5.0)  # before the first, second … restart within that time


class Stopped(Exception):
    """TERM or Ctrl-C came while something else was waited for."""


@dataclass
class Child:
    """What to start and how to stop it; `orphan_signal` is what it gets should the supervisor be killed."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str] | None = None
    cwd: Path | None = None
    fds: Sequence[int] = ()
    become: Callable[[], None] | None = None
    before_start: Callable[[], None] | None = None
    stop_signal: int = signal.SIGTERM
    stop_s: float = 10.0
    deaths: deque[float] = field(default_factory=lambda: deque(maxlen=DEATHS))
    running: subprocess.Popen[bytes] | None = None
    start_at: float = 0.0

    @property
    def pid(self) -> int | None:
        return self.running.pid if self.running else None


class Supervisor:
    """Children in the order in which they were added; one thread, no task but this."""

    def __init__(self, logs: Path, ledger: Path, on_change: Callable[[], None] = lambda: None) -> None:
        self.children: dict[str, Child] = {}
        self.folders: list[Path] = []  # temporary ones, for whoever comes after us should we be killed
        self.stopping = Told()
        self.hurried = False
        self.on_change = on_change
        self._logs, self._ledger = logs, ledger

    def listen(self) -> None:
        """TERM, Ctrl-C and a closed terminal all mean: stop everything in good order."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._told)

    def add(self, child: Child) -> None:
        files.rotate(self.log_of(child.name))
        self.children[child.name] = child
        self._start(child)

    def log_of(self, name: str) -> Path:
        return self._logs / f"{name}.log"

    def wait(self, condition: Callable[[], bool], limit_s: float, what: str, pause_s: float = 0.1) -> None:
        """Look after the children until `condition` holds. Raises Problem after `limit_s`, Stopped if told to stop."""
        until = time.monotonic() + limit_s
        while not condition():
            if time.monotonic() > until:
                raise Problem(f"{what} did not come within {limit_s:.0f} s.", 1)
            self._tick(pause_s)

    def call(
        self, name: str, argv: Sequence[str], *, env: Mapping[str, str], limit_s: float, echo: bool = False
    ) -> int:
        """Run one command to its end while looking after the children; its output goes to its log, or here."""
        files.rotate(self.log_of(name))
        with open(self.log_of(name), "ab") as log:
            running = process.spawn(argv, env=env, output=None if echo else log)
        try:
            self.wait(lambda: running.poll() is not None, limit_s, name)
        finally:
            self._end_group(running)
        return running.returncode

    def watch(self) -> NoReturn:
        """Look after the children until told to stop, which raises Stopped."""
        while True:
            self._tick(0.2)

    def stop(self, *names: str, at_most_s: float = 3600.0) -> None:
        """Ask these children to stop, all at once, and see them out; a second Ctrl-C cuts it short."""
        leaving = [child for name in names if (child := self.children.pop(name, None))]
        running = [child.running for child in leaving if child.running]
        for child in leaving:
            if child.running:
                child.running.send_signal(child.stop_signal)
        limit_s = min(at_most_s, max((child.stop_s for child in leaving), default=0.0))
        process.wait(lambda: self.hurried or all(one.poll() is not None for one in running), limit_s)
        for one in running:
            self._end_group(one)

    def _told(self, number: int, _frame: object) -> None:
        self.hurried = self.stopping.is_set() and number == signal.SIGINT
        self.stopping.set()

    def _tick(self, pause_s: float) -> None:
        for child in list(self.children.values()):
            if child.running and child.running.poll() is not None:
                self._bury(child)
            if not child.running and time.monotonic() >= child.start_at:
                self._start(child)
        if self.stopping.wait(pause_s):
            raise Stopped

    def _start(self, child: Child) -> None:
        if child.before_start:
            child.before_start()
        with open(self.log_of(child.name), "ab") as log:
            child.running = process.spawn(
                child.argv,
                env=child.env,
                cwd=child.cwd,
                output=log,
                fds=child.fds,
                become=child.become,
                orphan_signal=child.stop_signal,
            )
        self._write_ledger()
        self.on_change()

    def _bury(self, child: Child) -> None:
        """Take note of a death and set the time of the restart. Raises Problem when they follow too fast."""
        assert child.running
        code = child.running.returncode
        self._end_group(child.running)
        child.running = None
        now = time.monotonic()
        child.deaths.append(now)
        recent = [at for at in child.deaths if now - at < WITHIN_S]
        if len(recent) >= DEATHS:
            tail = files.tail(self.log_of(child.name), 20)
            raise Problem(f"{tail}\n{child.name} died {DEATHS} times within a minute (last exit {code}): giving up.", 1)
        child.start_at = now + PAUSES_S[min(len(recent), len(PAUSES_S)) - 1]

    @staticmethod
    def _end_group(leader: subprocess.Popen[bytes]) -> None:
        if leader.poll() is None:
            leader.kill()
            leader.wait()
        process.end(lambda: list(process.group(leader.pid)), grace_s=2.0)

    def _write_ledger(self) -> None:
        """What the next run needs to recognise and end what we leave behind, should we be killed."""
        known = [
            {"name": child.name, "pid": child.pid, "started": process.started(child.pid), "argv": list(child.argv)}
            for child in self.children.values()
            if child.pid
        ]
        content = {"folders": [str(path) for path in self.folders], "children": known}
        files.write_private(self._ledger, json.dumps(content))


def end_leftovers(ledger: Path) -> None:
    """End what a killed supervisor left: its children by pid, start time and program, their groups, its folders."""
    if not ledger.is_file():
        return
    left = json.loads(ledger.read_text())

    def ours() -> list[int]:
        return [pid for child in left["children"] for pid in process.group(child["pid"]) if _is_of(child, pid)]

    process.wait(lambda: not ours(), LEFTOVERS_S)  # each was told to stop when its supervisor died
    process.end(ours, first=signal.SIGTERM, grace_s=2.0)
    for folder in left["folders"]:
        shutil.rmtree(folder, ignore_errors=True)
    ledger.unlink()


def _is_of(child: Mapping[str, Any], pid: int) -> bool:
    """Whether `pid`, in the group that `child` led, is it or came from it; titles change, programs do not."""
    since = process.started(pid)
    born = since == child["started"] if pid == child["pid"] else since >= child["started"]
    return born and process.command(pid)[0].startswith(child["argv"][0])

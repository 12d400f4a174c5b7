"""The spool: a file for each process, to which one call after the other is appended and synced."""

import fcntl
import os
import threading
import uuid
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

SUFFIX, UNBORN, DAMAGED = ".spool", ".unborn", ".damaged"
STRANGERS_SHARE = 16  # of the spool's limit, one part is for calls whose token this process has never seen accepted


class SpoolFull(OSError):
    """The spool has reached SPOOL_MAX_BYTES, or strangers their part of it."""


def folder() -> Path:
    """Private: it holds numbers and texts."""
    path = Path(settings.SPOOL_DIR)
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def size() -> int:
    """Bytes in the spool, damaged files too."""
    return sum(path.stat().st_size for path in folder().iterdir() if path.is_file())


@dataclass
class Spool:
    """This process's file. It is locked while it is open, which tells the drainer to leave it standing."""

    _lock: threading.Lock = field(default_factory=threading.Lock)
    _fd: int | None = None
    _end: int = 0
    _strangers: int = 0

    def append(self, frame: bytes, *, stranger: bool) -> None:
        """Durable on return. Raises OSError, and then nothing of it stays."""
        with self._lock:
            self._check_room(len(frame), stranger=stranger)
            if self._fd is None:
                self._fd, self._end = _create(), 0
            try:
                _write(self._fd, frame)
            except OSError:
                self._take_back()
                raise
            self._end += len(frame)
            self._strangers += len(frame) if stranger else 0

    def close(self) -> None:
        """The database is back: hand the file over."""
        with self._lock:
            if self._fd is not None:
                os.close(self._fd)
            self._fd, self._strangers = None, 0

    @property
    def is_open(self) -> bool:
        return self._fd is not None

    def _check_room(self, length: int, *, stranger: bool) -> None:
        if size() + length > settings.SPOOL_MAX_BYTES:
            raise SpoolFull("the spool is full")
        if stranger and self._strangers + length > settings.SPOOL_MAX_BYTES // STRANGERS_SHARE:
            raise SpoolFull("strangers have filled their part of the spool")

    def _take_back(self) -> None:
        """What broke off is cut; nothing is appended behind what could not be cut."""
        assert self._fd is not None
        try:
            os.ftruncate(self._fd, self._end)
        finally:
            os.close(self._fd)
            self._fd = None


def _create() -> int:
    """It gets its name once it is locked, so that no drainer takes it for one that somebody left."""
    unborn = folder() / f"{uuid.uuid4().hex}{UNBORN}"
    fd = os.open(unborn, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX)
    unborn.rename(unborn.with_suffix(SUFFIX))
    _sync_folder()
    return fd


def _sync_folder() -> None:
    fd = os.open(folder(), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _write(fd: int, frame: bytes) -> None:
    left = memoryview(frame)
    while left:
        left = left[os.write(fd, left) :]
    os.fsync(fd)


spool = Spool()

"""What happened, one line of JSON each, in a file that is only ever appended to."""

import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

Record = dict[str, Any]


class Place(NamedTuple):
    offset: int
    length: int


class Taken(Exception):
    """Another sandbox keeps its journal in this directory."""


class Journal:
    """A line is in the file, by one write(), before anybody hears of it: it outlives `kill -9`, not a power cut."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._path = home / "sandbox.jsonl"
        self._lock = _locked(home / "sandbox.lock")
        self._fd, self._size = self._open()

    def append(self, record: Record) -> Place:
        line = _line(record)
        if os.write(self._fd, line) != len(line):
            os.ftruncate(self._fd, self._size)
            raise OSError("the disk is full")
        place = Place(self._size, len(line))
        self._size += len(line)
        return place

    def read(self, place: Place) -> Record:
        record: Record = json.loads(os.pread(self._fd, place.length, place.offset))
        return record

    def replay(self) -> Iterator[tuple[Record, Place]]:
        """All lines from the first; a torn last one is cut off."""
        whole = 0
        with self._path.open("rb") as lines:
            for line in lines:
                if not line.endswith(b"\n"):
                    break
                yield json.loads(line), Place(whole, len(line))
                whole += len(line)
        os.ftruncate(self._fd, whole)
        self._size = whole

    def rewrite(self, records: Iterable[Record]) -> None:
        """Put these records in the place of everything, at once."""
        fresh = self._path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_bytes(b"".join(map(_line, records)))
        os.replace(fresh, self._path)
        os.close(self._fd)
        self._fd, self._size = self._open()

    def close(self) -> None:
        os.close(self._fd)
        os.close(self._lock)

    def _open(self) -> tuple[int, int]:
        fd = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
        return fd, os.fstat(fd).st_size


def _line(record: Record) -> bytes:
    return json.dumps(record, separators=(",", ":")).encode() + b"\n"


def _locked(path: Path) -> int:
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(fd)
        raise Taken(str(path.parent)) from error
    return fd

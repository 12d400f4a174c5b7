"""What was spooled moves into its table: each call once, however often a drainer dies on the way."""

import fcntl
import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from time import sleep
from typing import BinaryIO

import structlog
from django.db import Error, InterfaceError, OperationalError, connections, transaction

from messaging.receiving import spool
from messaging.receiving.frames import Spooled, read_frames
from messaging.receiving.keeping import keep

BATCH = 200  # calls a transaction
LOOK_EVERY_S = 5.0

log = structlog.get_logger(__name__)
_read_to: dict[Path, int] = {}  # how far this process has read files whose writer still lives: a hint


def drain_spool(_now: datetime | None = None) -> int:
    """Tick: move what is in this machine's spool; how many calls became rows. Raises OperationalError meanwhile."""
    files = sorted(spool.folder().glob(f"*{spool.SUFFIX}"))
    return sum(_drain_file(path) for path in files)


def spool_size() -> tuple[int, int]:
    """Files and bytes in this machine's spool."""
    return sum(1 for _ in spool.folder().iterdir()), spool.size()


def keep_draining() -> None:
    """In a thread of a web process: whoever spools also moves it, though no worker runs on this machine."""
    threading.Thread(target=_keep_draining, name="spool-drainer", daemon=True).start()


def _keep_draining() -> None:
    while True:
        try:
            drain_spool()
        except (Error, OSError) as error:
            log.warning("spool.waits", error=type(error).__name__)
        connections.close_all()
        sleep(LOOK_EVERY_S)


def _drain_file(path: Path) -> int:
    """Files that their writer has closed go once they are empty of news; damaged ones stay for a person."""
    with _opened(path) as (file, left):
        if file is None:
            return 0
        file.seek(0 if left else _read_to.get(path, 0))
        moved, whole = 0, True
        for batch in _batches(read_frames(file)):
            calls = [spooled for spooled in batch if spooled is not None]
            stored, all_taken = _move(calls)
            moved, whole = moved + stored, whole and all_taken and len(calls) == len(batch)
            _read_to[path] = file.tell()
        if left:
            _read_to.pop(path, None)
            _put_away(path, whole)
        if moved:
            log.info("spool.moved", file=path.name, calls=moved)
        return moved


@contextmanager
def _opened(path: Path) -> Iterator[tuple[BinaryIO | None, bool]]:
    """The file, and whether its writer has left it; None if another drainer was quicker."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        yield None, False
        return
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield file, False
        else:
            yield file, True


def _batches(frames: Iterator[Spooled | None]) -> Iterator[list[Spooled | None]]:
    while batch := list(itertools.islice(frames, BATCH)):
        yield batch


def _move(calls: Sequence[Spooled]) -> tuple[int, bool]:
    """How many became rows, and whether the database takes all of them; one that it never will holds up no other."""
    try:
        return _store(calls), True
    except (OperationalError, InterfaceError):
        raise
    except Error:
        if len(calls) == 1:
            log.exception("spool.unfit", call=str(calls[0].call.id))
            return 0, False
    results = [_move([one]) for one in calls]
    return sum(stored for stored, _ in results), all(taken for _, taken in results)


def _store(calls: Sequence[Spooled]) -> int:
    with transaction.atomic():
        return sum(keep(one.call, received_at=one.received_at) is not None for one in calls)


def _put_away(path: Path, whole: bool) -> None:
    if whole:
        path.unlink()
    else:
        path.rename(path.with_suffix(spool.DAMAGED))
        log.error("spool.damaged", file=path.name)

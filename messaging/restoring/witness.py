"""A file beside the database that remembers how far it was: a disk image put back says nothing of it in any row."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic

from django.conf import settings

from messaging.restoring.identity import Facts

WRITE_EVERY_S = 0.2  # what was sent in such a while after the image was made is not noticed


@dataclass(frozen=True, slots=True)
class Memory:
    """How far this machine has seen one database."""

    system_identifier: int
    database: int
    epoch: int
    lsn: int

    def contradicts(self, facts: Facts, epoch: int) -> bool:
        """Whether the database stands before what was seen of it. Another timeline tells of itself."""
        if (self.system_identifier, self.database) != (facts.system_identifier, facts.database):
            return False
        return epoch < self.epoch or (epoch == self.epoch and facts.lsn < self.lsn)


@dataclass(slots=True)
class _Witness:
    memory: Memory | None = None
    write_at: float = 0.0


_witness = _Witness()


def path() -> Path:
    return Path(settings.HOME) / "database-seen"


def recall() -> Memory | None:
    """This process's memory, or what another one wrote down."""
    return _witness.memory or _read()


def remember(facts: Facts, epoch: int) -> None:
    """At once in this process, every WRITE_EVERY_S in the file. A file that cannot be written remembers nothing."""
    memory = Memory(facts.system_identifier, facts.database, epoch, facts.lsn)
    anew = _witness.memory is None or _witness.memory.epoch != epoch
    _witness.memory = memory
    if anew or monotonic() >= _witness.write_at:
        _witness.write_at = monotonic() + WRITE_EVERY_S
        _write(memory)


def _read() -> Memory | None:
    try:
        return Memory(**json.loads(path().read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _write(memory: Memory) -> None:
    fresh = path().with_suffix(f".{os.getpid()}")
    try:
        fresh.write_text(json.dumps(asdict(memory)))
        fresh.replace(path())
    except OSError:
        return

"""Where a call goes: into the database, or beside it while that is away."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from time import monotonic

import structlog
from django.db import Error

from messaging.receiving.call import Call
from messaging.receiving.frames import Spooled, encode
from messaging.receiving.keeping import keep
from messaging.receiving.patience import patience
from messaging.receiving.spool import spool

PATIENCE_S = 0.5
BYTES_A_SECOND = 2_000_000  # that a database stores at the least: a long body gets more time
AWAY_FOR_S = 1.0  # then one call tries the database again; the others do not wait for it
TOKENS = 1_000  # that this process remembers

log = structlog.get_logger(__name__)


class Fate(Enum):
    """What became of a call."""

    STORED = "stored"
    SPOOLED = "spooled"
    NOT_OURS = "not_ours"  # its token, or the caller's address, is no connection's


class NowhereToKeep(Exception):
    """Neither the database nor the spool takes the call: it must not be answered 200."""


@dataclass(slots=True)
class _Door:
    """What this process knows of the database."""

    away_until: float = 0.0
    clock: tuple[datetime, float] | None = None  # the database's clock beside ours, when it last answered
    tokens: set[bytes] = field(default_factory=set)  # digests that were good

    def now(self) -> datetime:
        """The database's clock, told forward from the last answer; before the first one, this machine's."""
        if self.clock is None:
            return datetime.now(UTC)
        at, seen = self.clock
        return at + timedelta(seconds=monotonic() - seen)

    def saw(self, call: Call, at: datetime) -> None:
        self.clock = (at, monotonic())
        if len(self.tokens) < TOKENS:
            self.tokens.add(call.token)


_door = _Door()


def receive(call: Call) -> Fate:
    """Durable when this returns, unless it is not ours.

    Whose token it is cannot be asked while the database is away: the call is spooled with the token's digest and judged
    when it is moved. What such calls of strangers may take of the spool is bounded. Raises NowhereToKeep.
    """
    if monotonic() >= _door.away_until:
        try:
            return _store(call)
        except Error as error:
            _door.away_until = monotonic() + AWAY_FOR_S
            log.warning("receiving.database_away", error=type(error).__name__)
    _set_aside(call)
    return Fate.SPOOLED


def _store(call: Call) -> Fate:
    with patience(PATIENCE_S + len(call.body) / BYTES_A_SECOND):
        at = keep(call)
    if spool.is_open:
        spool.close()
    if at is None:
        return Fate.NOT_OURS
    _door.saw(call, at)
    return Fate.STORED


def _set_aside(call: Call) -> None:
    try:
        spool.append(encode(Spooled(call, _door.now())), stranger=call.token not in _door.tokens)
    except OSError as error:
        log.error("receiving.nowhere_to_keep", kind=call.kind, error=type(error).__name__)
        raise NowhereToKeep from error

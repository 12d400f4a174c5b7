"""Faults on demand: what goes wrong, and with which of the send calls."""

from dataclasses import dataclass, field
from random import Random

from .codes import ACCEPTED, RESPONSES

CODES = {f"code{code}": code for code in RESPONSES if code != ACCEPTED}
REFUSING = {"reset_before", "http503"} | (set(CODES) - {"code500"})
ANSWERING = {"drop_after", "stall_after", "code500", "http500", "nonjson_after", "slow"}  # these accept first
NOTIFYING = {"dup_dn", "reorder_dn", "lose_dn"}
KNOWN = REFUSING | ANSWERING | NOTIFYING | {"early_dn", "dup_ref"}
STALL_S, SLOW_S = 60.0, 5.0


@dataclass(frozen=True, slots=True)
class Fault:
    """One line of the list: hits the calls numbered in `at`, or a share of all, the same ones for the same seed."""

    name: str
    at: frozenset[int] = frozenset()
    share: float = 0.0
    seed: object = 0

    def hits(self, call: int) -> bool:
        return call in self.at or (self.share > 0 and self._chance(call) < self.share)

    def _chance(self, call: int) -> float:
        return Random(f"{self.seed}:{self.name}:{call}").random()  # noqa: S311 repeatable on purpose

    def shown(self) -> dict[str, object]:
        how = {"at": sorted(self.at)} if self.at else {"share": self.share, "seed": self.seed}
        return {"fault": self.name, **how}


@dataclass(frozen=True, slots=True)
class Hit:
    """What befalls one call; the first refusing and the first answering fault of the list win."""

    refusal: str = ""
    answer: str = ""
    also: frozenset[str] = frozenset()


NO_HIT = Hit()


@dataclass
class Faults:
    """The list in force. It lives in memory only: a restart clears it."""

    active: list[Fault] = field(default_factory=list)
    calls: int = 0

    def replace(self, active: list[Fault]) -> None:
        self.active, self.calls = active, 0

    def next_call(self) -> Hit:
        self.calls += 1
        if not self.active:
            return NO_HIT
        names = [fault.name for fault in self.active if fault.hits(self.calls)]
        return Hit(
            refusal=next((name for name in names if name in REFUSING), ""),
            answer=next((name for name in names if name in ANSWERING), ""),
            also=frozenset(names) - REFUSING - ANSWERING,
        )

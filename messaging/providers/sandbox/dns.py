"""Which DNs a request owes, and how they are set to go out."""

from dataclasses import dataclass, field
from typing import NamedTuple

from .codes import DELIVERED, NO_ERROR, SENT, UNDELIVERED, WITH_CARRIER
from .journal import Record

GOLDEN = 0.6180339887498949  # its multiples spread evenly, so any share comes out nearly exact


@dataclass(slots=True)
class DnSettings:
    """How DNs go out; `seed` picks who is undelivered."""

    delay_s: float = 0.5
    undelivered_share: float = 0.0
    error_codes: list[str] = field(default_factory=lambda: ["501"])
    form: str = "form"
    retries: int = 3
    suffix_single: bool = False
    seed: int = 0

    def fate(self, seq: int) -> str:
        """Final error code of a ledger line, the same one at every run."""
        place = ((seq + self.seed) * GOLDEN) % 1
        if place >= self.undelivered_share:
            return NO_ERROR
        return self.error_codes[int(place / self.undelivered_share * len(self.error_codes))]


class Dn(NamedTuple):
    status: str
    error_code: str
    position: int


def dns_of(record: Record) -> list[Dn]:
    """The DNs that a request owes, in the order in which they leave."""
    if "lose_dn" in record["flags"]:
        return []
    passing = [Dn(SENT, WITH_CARRIER, index) for index in range(len(record["to"]))]
    final = [Dn(DELIVERED if fate == NO_ERROR else UNDELIVERED, fate, n) for n, fate in enumerate(record["fates"])]
    dns = final + passing if "reorder_dn" in record["flags"] else passing + final
    return [dn for dn in dns for _ in range(2)] if "dup_dn" in record["flags"] else dns


def dn_count(record: Record) -> int:
    """Length of `dns_of`, without making them."""
    if "lose_dn" in record["flags"]:
        return 0
    return 2 * len(record["to"]) * (2 if "dup_dn" in record["flags"] else 1)


class Backlog:
    """What a journal leaves owed: MOs by number, and for each request a bit for every DN."""

    def __init__(self) -> None:
        self.dns: dict[int, int] = {}
        self.mos: set[int] = set()

    def see(self, record: Record) -> None:
        match record["kind"]:
            case "send":
                self._owe(record)
            case "mo":
                self.mos.add(record["number"])
            case "told":
                self._settle(record)

    def _owe(self, record: Record) -> None:
        if count := dn_count(record):
            self.dns[record["request"]] = (1 << count) - 1

    def _settle(self, record: Record) -> None:
        self.mos.difference_update(record["mos"])
        for request, nth, *_ in record["dns"]:
            owed = self.dns.get(request, 0) & ~(1 << nth)
            if owed:
                self.dns[request] = owed
            else:
                self.dns.pop(request, None)

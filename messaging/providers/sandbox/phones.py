"""Which phones had traffic, and which bubbles each shows; texts stay in the journal."""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field

PHONES_KEPT = 20_000
BUBBLES_KEPT = 100


@dataclass(slots=True)
class Phone:
    """`bubbles`: even numbers stand for ledger line n // 2, odd ones for MO n // 2. `version` of its latest change."""

    user: str
    channel: str
    version: int = 0
    bubbles: list[int] = field(default_factory=list)

    def show(self, bubble: int) -> None:
        self.bubbles.append(bubble)
        if len(self.bubbles) > BUBBLES_KEPT * 2:
            del self.bubbles[:BUBBLES_KEPT]


class Phones:
    """Phones by MSISDN, the one with the latest message last; the oldest are let go beyond a number."""

    def __init__(self) -> None:
        self._phones: OrderedDict[str, Phone] = OrderedDict()
        self.version = 0

    def __len__(self) -> int:
        return len(self._phones)

    def __contains__(self, msisdn: str) -> bool:
        return msisdn in self._phones

    def __getitem__(self, msisdn: str) -> Phone:
        return self._phones[msisdn]

    def latest(self) -> Iterator[str]:
        return reversed(self._phones)

    def got_mt(self, msisdn: str, seq: int, *, user: str, channel: str) -> None:
        self._show(msisdn, seq * 2, user, channel)

    def wrote_mo(self, msisdn: str, number: int, *, user: str, channel: str) -> None:
        self._show(msisdn, number * 2 + 1, user, channel)

    def touch(self, msisdn: str) -> None:
        """Something about its bubbles changed."""
        self.version += 1
        if phone := self._phones.get(msisdn):
            phone.version = self.version

    def _show(self, msisdn: str, bubble: int, user: str, channel: str) -> None:
        phone = self._phones.setdefault(msisdn, Phone(user, channel))
        phone.user, phone.channel = user, channel
        phone.show(bubble)
        self._phones.move_to_end(msisdn)
        if len(self._phones) > PHONES_KEPT:
            self._phones.popitem(last=False)
        self.touch(msisdn)

"""The ground truth: every recipient that was accepted, read from the journal by number."""

from array import array
from bisect import bisect_right

from .journal import Journal, Place, Record
from .parts import money

PAGE = 1_000
ACCEPTED, SENT, DELIVERED, UNDELIVERED = range(4)  # the latest DN of a ledger line
UNTOLD = 4  # added where the hook did not take the DN


class Ledger:
    """Keeps 17 bytes a request and one a recipient in memory; the lines stay in the file."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._offsets, self._lengths, self._first_seqs = (array("Q"), array("L"), array("Q"))
        self._marks = bytearray()

    def __len__(self) -> int:
        return len(self._marks)

    @property
    def requests(self) -> int:
        return len(self._offsets)

    def add(self, record: Record, place: Place) -> None:
        self._offsets.append(place.offset)
        self._lengths.append(place.length)
        self._first_seqs.append(record["seq"])
        self._marks.extend(bytes(len(record["to"])))

    def request(self, number: int) -> Record:
        return self._journal.read(Place(self._offsets[number - 1], self._lengths[number - 1]))

    def request_of(self, seq: int) -> Record:
        return self.request(bisect_right(self._first_seqs, seq))

    def page(self, after: int, limit: int) -> tuple[list[Record], int | None]:
        """Entries behind `after`, and where to go on, or None at the end."""
        entries: list[Record] = []
        number = max(bisect_right(self._first_seqs, after + 1), 1)
        while number <= self.requests and len(entries) < limit:
            entries += [entry for entry in _entries(self.request(number)) if entry["seq"] > after]
            number += 1
        entries = entries[:limit]
        more = bool(entries) and entries[-1]["seq"] < len(self)
        return entries, entries[-1]["seq"] if more else None

    def mark(self, seq: int, mark: int) -> None:
        """Note a DN; SENT after a final one changes nothing."""
        final = self._marks[seq - 1] & 3 in (DELIVERED, UNDELIVERED)
        if not (final and mark & 3 == SENT):
            self._marks[seq - 1] = mark

    def mark_of(self, seq: int) -> int:
        return self._marks[seq - 1]


def _entries(record: Record) -> list[Record]:
    return [
        {
            "seq": record["seq"] + index,
            "at": record["at"],
            "request": record["request"],
            "user": record["user"],
            "channel": record["channel"],
            "msisdn": msisdn,
            "index": index,
            "ref": record["ref"],
            "text": record["text"],
            "charge": money(record["charges"][index]),
        }
        for index, msisdn in enumerate(record["to"])
    ]

"""The whole twin: every change is a record, journaled first, applied second, and replayed so at start."""

import secrets
import time
from array import array
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from .accounts import Account, Accounts
from .checks import Desk, Submission
from .dns import Backlog, DnSettings
from .faults import Faults
from .journal import Journal, Place, Record
from .ledger import Ledger
from .phones import Phones
from .templates import Templates

SERVICE = 78  # the small integer before the hyphen in the page's sample refs
TICKS = 10_000  # refs carry a microtime with four decimals


class Sandbox:
    """Accounts, templates, ledger, phones and settings, kept in one journal."""

    def __init__(self, home: Path, *, user: str, secret: str) -> None:
        self.journal = Journal(home)
        self.seeded_user = user
        self.accounts, self.templates, self.faults = Accounts(), Templates(), Faults()
        self.desk = Desk(self.accounts, self.templates)
        self._last_tick, self._last_ref = 0, ""
        self._start_empty()
        self.backlog = self._replay()
        seeded = self.accounts.get(user)
        if seeded is None or seeded.secret != secret:
            self.commit((Account(user, secret) if seeded is None else seeded).record() | {"pass": secret})

    def _start_empty(self) -> None:
        self.ledger, self.phones, self.dn = Ledger(self.journal), Phones(), DnSettings()
        self._mo_offsets, self._mo_lengths = array("Q"), array("L")
        self.epoch = secrets.token_hex(4)  # another one after each reset and start

    def _replay(self) -> Backlog:
        backlog = Backlog()
        for record, place in self.journal.replay():
            self._apply(record, place)
            backlog.see(record)
        return backlog

    def commit(self, record: Record) -> None:
        """Journal, then apply; raises OSError if it cannot be journaled, and then nothing has happened."""
        self._apply(record, self.journal.append(record))

    def _apply(self, record: Record, place: Place) -> None:
        getattr(self, f"_on_{record['kind']}")(record, place)

    # what the provider does

    def accept(self, submission: Submission, *, now: float, flags: frozenset[str] = frozenset()) -> Record:
        """Charge, enter into the ledger and owe the DNs, all with one line."""
        seq, account = len(self.ledger) + 1, submission.account
        record = {
            "kind": "send",
            "request": self.ledger.requests + 1,
            "seq": seq,
            "at": datetime.fromtimestamp(now, UTC).isoformat(timespec="microseconds"),
            "user": account.user,
            "channel": submission.channel,
            "to": submission.msisdns,
            "ref": self._ref(now, again="dup_ref" in flags),
            "text": submission.text,
            "charges": submission.charges,
            "fates": [self.dn.fate(seq + index) for index in range(len(submission.msisdns))],
            "due": now + self.dn.delay_s,
            "flags": sorted(flags),
        }
        self.commit(record)
        return record

    def _ref(self, now: float, *, again: bool) -> str:
        """`78-` and a microtime as PHP prints it, trailing zeros dropped; never twice but on demand."""
        if again and self._last_ref:
            return self._last_ref
        tick = max(int(now * TICKS), self._last_tick + 1)
        return f"{SERVICE}-" + f"{tick // TICKS}.{tick % TICKS:04d}".rstrip("0").rstrip(".")

    def receive_mo(self, *, msisdn: str, text: str, channel: str, at: datetime, moid: str | None, user: str) -> int:
        """A person writes: opens the window and owes the MO. Gives its number."""
        number = len(self._mo_offsets) + 1
        self.commit(
            {
                "kind": "mo",
                "number": number,
                "at": at.isoformat(),
                "received": time.time(),
                "user": user,
                "channel": channel,
                "msisdn": msisdn,
                "text": text,
                "moid": moid or f"mo-{self.epoch}-{number}",
            }
        )
        return number

    def mo(self, number: int) -> Record:
        return self.journal.read(Place(self._mo_offsets[number - 1], self._mo_lengths[number - 1]))

    def told(self, dns: list[list[int]], mos: list[int]) -> None:
        """Finished DNs as [request, number of the DN, ledger line, mark], and finished MOs."""
        self.commit({"kind": "told", "dns": dns, "mos": mos})

    def reset(self) -> None:
        """Empty all but accounts and templates; the faults go too."""
        kept = [account.record() for account in self.accounts.values()]
        self.journal.rewrite([*kept, {"kind": "template", "texts": list(self.templates.texts)}])
        for account in self.accounts.values():
            account.forget()
        self.faults.replace([])
        self._start_empty()

    def set_dn(self, settings: DnSettings) -> None:
        self.commit({"kind": "dn", "settings": asdict(settings)})

    # applying

    def _on_account(self, record: Record, _: Place) -> None:
        self.accounts.put(record)

    def _on_template(self, record: Record, _: Place) -> None:
        self.templates.add(record["texts"])

    def _on_balance(self, record: Record, _: Place) -> None:
        self.accounts[record["user"]].balance = record["balance"]

    def _on_dn(self, record: Record, _: Place) -> None:
        self.dn = DnSettings(**record["settings"])

    def _on_send(self, record: Record, place: Place) -> None:
        self.ledger.add(record, place)
        self.accounts[record["user"]].balance -= sum(record["charges"])
        self._last_ref = record["ref"]
        self._last_tick = max(self._last_tick, _tick(record["ref"]))
        for index, msisdn in enumerate(record["to"]):
            self.phones.got_mt(msisdn, record["seq"] + index, user=record["user"], channel=record["channel"])

    def _on_mo(self, record: Record, place: Place) -> None:
        self._mo_offsets.append(place.offset)
        self._mo_lengths.append(place.length)
        if record["channel"] == "whatsapp":
            at = datetime.fromisoformat(record["at"]).timestamp()
            self.accounts[record["user"]].open_window(record["msisdn"], at)
        self.phones.wrote_mo(record["msisdn"], record["number"], user=record["user"], channel=record["channel"])

    def _on_told(self, record: Record, _: Place) -> None:
        for _request, _nth, seq, mark in record["dns"]:
            self.ledger.mark(seq, mark)


def _tick(ref: str) -> int:
    seconds, _, decimals = ref.partition("-")[2].partition(".")
    return int(seconds) * TICKS + int(decimals.ljust(4, "0"))

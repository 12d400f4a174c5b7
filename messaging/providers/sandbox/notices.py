"""DNs and MOs on their way to the account's hooks: when, and again if nobody said 200."""

import asyncio
import logging
import time
from collections.abc import Coroutine
from typing import Any

from . import ledger
from .codes import DELIVERED, SENT, UNDELIVERED
from .courier import WHOLE, Courier, Errand
from .dns import Dn, dn_count, dns_of
from .hooks import Hooks
from .journal import Record
from .state import Sandbox

RETRY_AFTER_S = (1.0, 5.0, 15.0)  # the last one again and again, if more retries are asked for
DN_HANDS, MO_HANDS = (32, 8)  # MOs have hands of their own: a person never waits behind a million DNs
FLUSH_S, FLUSH_AT = 0.2, 500
MARKS = {SENT: ledger.SENT, DELIVERED: ledger.DELIVERED, UNDELIVERED: ledger.UNDELIVERED}

log = logging.getLogger(__name__)


class Notices:
    """Pays what the journal says is owed."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox
        self.dns = Courier(self._run_dn_errand, hands=DN_HANDS)
        self.mos = Courier(self._run_mo_errand, hands=MO_HANDS)
        self._told_dns: list[list[int]] = []
        self._told_mos: list[int] = []
        self._tasks: list[asyncio.Task[None]] = []
        self._early: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._hooks = Hooks(sockets=DN_HANDS + MO_HANDS)
        self._resume()
        runs: list[Coroutine[Any, Any, None]] = [self.dns.run(), self.mos.run(), self._flush_now_and_then()]
        self._tasks = [asyncio.create_task(run) for run in runs]

    async def stop(self) -> None:
        """What is still owed stays in the journal."""
        for task in [*self._tasks, *self._early]:
            task.cancel()
        self.dns.clear()
        self.mos.clear()
        self._flush()
        await self._hooks.close()

    def owe_dns(self, record: Record) -> None:
        if dn_count(record):
            self.dns.owe(record["due"], record["request"])

    def owe_mo(self, number: int) -> None:
        self.mos.owe(0, number)

    async def tell_early(self, record: Record, *, wait_s: float) -> None:
        """The DNs of one request before its answer, which waits for them a while; what fails is retried as usual."""
        task = asyncio.create_task(self._run_dn_errand(Errand(0, record["request"], WHOLE, 0)))
        self._early.add(task)
        task.add_done_callback(self._early.discard)
        await asyncio.wait([task], timeout=wait_s)

    def forget(self) -> None:
        """Nothing is owed any more (reset)."""
        self.dns.clear()
        self.mos.clear()
        self._told_dns, self._told_mos = [], []

    def _resume(self) -> None:
        """Owe again what the last run did not finish; the retries begin anew."""
        backlog = self._sandbox.backlog
        for request, owed in backlog.dns.items():
            record = self._sandbox.ledger.request(request)
            count = dn_count(record)
            untouched = owed == (1 << count) - 1
            for nth in [WHOLE] if untouched else [nth for nth in range(count) if owed >> nth & 1]:
                self.dns.owe(record["due"], request, nth)
        for number in sorted(backlog.mos):
            self.owe_mo(number)
        backlog.dns.clear()
        backlog.mos.clear()

    async def _run_dn_errand(self, errand: Errand) -> None:
        epoch, record = self._sandbox.epoch, self._sandbox.ledger.request(errand.job)
        dns = dns_of(record)
        for nth in range(len(dns)) if errand.nth == WHOLE else [errand.nth]:
            taken = await self._dn_taken(record, dns[nth])
            if epoch != self._sandbox.epoch:
                return  # a reset meanwhile: nobody remembers this request
            if taken or not self._again(self.dns, errand._replace(nth=nth)):
                self._note_told(record, nth, dns[nth], taken)

    async def _dn_taken(self, record: Record, dn: Dn) -> bool:
        """True also where the account has no hook: there is nobody to tell."""
        hook = self._sandbox.accounts[record["user"]].hooks.get("dn")
        if not hook:
            return True
        fields = self._fields(record, dn)
        return await self._hooks.take_dn(hook, fields, position=dn.position, form=self._sandbox.dn.form)

    def _fields(self, record: Record, dn: Dn) -> dict[str, str]:
        """`msgid` is the ref and the position; with one recipient nobody documents the position."""
        suffix = f"-{dn.position}" if len(record["to"]) > 1 or self._sandbox.dn.suffix_single else ""
        return {
            "status": dn.status,
            "error-code": dn.error_code,
            "msisdn": record["to"][dn.position],
            "msgid": record["ref"] + suffix,
        }

    def _note_told(self, record: Record, nth: int, dn: Dn, taken: bool) -> None:
        seq, mark = (record["seq"] + dn.position, MARKS[dn.status] + (0 if taken else ledger.UNTOLD))
        self._sandbox.ledger.mark(seq, mark)
        self._sandbox.phones.touch(record["to"][dn.position])
        self._told_dns.append([record["request"], nth, seq, mark])
        if len(self._told_dns) >= FLUSH_AT:
            self._flush()

    async def _run_mo_errand(self, errand: Errand) -> None:
        epoch, mo = self._sandbox.epoch, self._sandbox.mo(errand.job)
        hook = self._sandbox.accounts[mo["user"]].hooks.get("mo")
        taken = not hook or await self._hooks.take_mo(hook, mo)
        if epoch == self._sandbox.epoch and (taken or not self._again(self.mos, errand)):
            self._told_mos.append(errand.job)

    def _again(self, courier: Courier, errand: Errand) -> bool:
        """Owe it once more after a pause, unless it was tried often enough."""
        if errand.attempt >= self._sandbox.dn.retries:
            return False
        pause_s = RETRY_AFTER_S[min(errand.attempt, len(RETRY_AFTER_S) - 1)]
        courier.owe(time.time() + pause_s, errand.job, errand.nth, errand.attempt + 1)
        return True

    async def _flush_now_and_then(self) -> None:
        while True:
            await asyncio.sleep(FLUSH_S)
            try:
                self._flush()
            except OSError:
                log.exception("what was told could not be journaled; it may be told again after a restart")

    def _flush(self) -> None:
        if self._told_dns or self._told_mos:
            self._sandbox.told(self._told_dns, self._told_mos)
            self._told_dns, self._told_mos = [], []

"""Short lives of a worker: one campaign each, worked off in a forked child with one fault, then by a healthy one."""

from __future__ import annotations

import signal
from collections.abc import Callable
from datetime import timedelta

from django.db import Error, close_old_connections, connections
from django.db import connection as database

from messaging import sending
from messaging.clock import db_now
from messaging.models import Message
from messaging.sending.claim import Marks, claim
from messaging.sending.crash_points import arm
from messaging.sending.gate import gate
from tests.chaos.checker import Verdict
from tests.chaos.dns import settle_unknowns
from tests.chaos.rig import Rig
from tests.chaos.shaky import KINDS, Countdown

ROUNDS = 3  # of a worker that lives on after an error
UNTOUCHED, HIT = 0, 7  # exit codes of a life that ended by itself
LATER = timedelta(hours=1)  # every lease is over
LIFE_S = 120
ALONE_SQL = """
SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
"""


class Lives:
    """Each has a campaign of its own, with people of its own."""

    def __init__(self, rig: Rig, *, people: int) -> None:
        self._rig, self._people = rig, people
        self.lived = 0

    def until_untouched(self, kind: str, *, step: int, at_most: int) -> int:
        """Fail the 1st, 2nd, 3rd … operation of this kind until a life passes whole; how many there are.

        With a `step` only every so many-th of them, from a random first one.
        """
        for k in range(self._rig.chance.randint(1, step), at_most + 1, step):
            if not self._one(f"{kind}, the {k}th", lambda k=k: _shaky_life(self._rig, kind, k), alive=True):
                return k - 1
        self._rig.findings.append(f"{kind}: still met at the {at_most}th")
        return at_most

    def crash(self, name: str, passage: int) -> bool:
        """Whether a worker that dies at this passage of a crash point came there at all."""
        return self._one(f"crash at {name}:{passage}", lambda: _dying_life(self._rig, name, passage), alive=False)

    def _one(self, what: str, life: Callable[[], object], *, alive: bool) -> bool:
        rig = self._rig
        rig.sandbox.tell("reset")
        campaign = rig.campaign(self._people)
        code = rig.fork("life", life).wait(LIFE_S)
        rig.expect(code in (UNTOUCHED, HIT, -signal.SIGKILL), f"{what}: the worker ended with {code}")
        rig.until(_alone, seconds=30, what="the end of a dead worker's session")  # it may hold rows so long
        sending.reap(db_now() + LATER)
        Message.objects.filter(campaign=campaign).update(due_at=None)  # whoever waits has waited
        rig.fork("life", lambda: _live(rig)).wait(LIFE_S)
        before = rig.verdict(campaign)
        settle_unknowns(rig)
        after = rig.verdict(campaign)
        rig.samples.forget(campaign)
        self._judge(what, before, after, alive=alive, provider="provider" in what)
        self.lived += 1
        return code != UNTOUCHED

    def _judge(self, what: str, before: Verdict, after: Verdict, *, alive: bool, provider: bool) -> None:
        """A worker that lives on knows what became of its rows, unless it was the provider's answer that was lost."""
        expect = self._rig.expect
        expect(before.wrong == 0, f"{what}: {before.figures}")
        expect(not before.left, f"{what}: left {before.left}")
        expect(after.unknown_sent == 0, f"{what}: {after.unknown_sent} unknown whose DN came")
        if alive and not provider:
            expect(before.unknown == 0, f"{what}: {before.unknown} unknown though the worker lived")
        if alive and provider:
            expect(before.unknown <= 1, f"{what}: {before.unknown} unknown from one lost answer")


def _alone() -> bool:
    with database.cursor() as cursor:
        cursor.execute(ALONE_SQL)
        return cursor.fetchone()[0]


def _shaky_life(rig: Rig, kind: str, k: int) -> None:
    countdown = Countdown(k)
    KINDS[kind](countdown)
    _live(rig)
    connections.close_all()
    raise SystemExit(HIT if countdown.over else UNTOUCHED)


def _dying_life(rig: Rig, name: str, passage: int) -> None:
    if name == "in_reaper":  # which needs somebody who left something behind
        gate(rig.connection.pk, claim(rig.connection, limit=1, marks=Marks()), free=1)
    arm(f"{name}:{passage}")
    _live(rig)
    sending.reap(db_now() + LATER)


def _live(rig: Rig) -> None:
    """Drain as the command does: an error of the database ends the round, not the worker."""
    for _ in range(ROUNDS):
        try:
            sending.drain(rig.connection.pk)
        except Error:
            close_old_connections()

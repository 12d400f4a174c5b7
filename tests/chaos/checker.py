"""What was acknowledged beside what is found (Jepsen's total-queue idea): the ledger against the final rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import connection as database
from django.db.models import Count

from contacts.addresses import address_hmac
from messaging.models import Campaign, Message, Outcome, RequestRecipient
from messaging.statuses import PASSING
from tests.chaos.children import zombies
from tests.chaos.sums import Samples

NOT_SENT = ("refused", "skipped", "cancelled", "expired", "stuck", "queued", "planned", "held")
NEVER = ("doubled", "lost", "lied", "twice_live", "without_intent", "strangers", "idle_in_transaction", "zombies")
LIVE = (Outcome.IN_FLIGHT, Outcome.ACCEPTED, Outcome.UNKNOWN)
IDLE_SQL = """
SELECT count(*) FROM pg_stat_activity
WHERE state LIKE 'idle in transaction%%' AND state_change < clock_timestamp() - interval '5 s'
"""


@dataclass
class Verdict:
    """One run in figures. By ledger count c: doubled is c > 1; lost is accepted, c = 0; lied is not sent, c > 0."""

    people: int
    accepted: int = 0
    doubled: int = 0
    lost: int = 0
    lied: int = 0
    unknown_sent: int = 0  # the provider has it
    unknown_unsent: int = 0
    left: dict[str, int] = field(default_factory=dict)  # rows still on their way
    twice_live: int = 0  # I2
    without_intent: int = 0  # I3
    strangers: int = 0  # ledger lines of nobody's
    idle_in_transaction: int = 0
    zombies: int = 0
    sums_broken: list[str] = field(default_factory=list)  # I1
    samples: int = 0

    @property
    def unknown(self) -> int:
        return self.unknown_sent + self.unknown_unsent

    @property
    def figures(self) -> dict[str, Any]:
        names = ("people", "accepted", "doubled", "lost", "lied", "unknown_sent", "unknown_unsent", "samples")
        return {name: getattr(self, name) for name in names}

    @property
    def wrong(self) -> int:
        """How many recipients were treated wrongly."""
        return self.doubled + self.lost + self.lied

    def problems(self, *, unknown_at_most: int | None = None, left: bool = False) -> list[str]:
        """What no run may show, in words; `left` allows rows that are still on their way."""
        found = [f"{getattr(self, name)} {name}" for name in NEVER if getattr(self, name)]
        found += [f"sums: {words}" for words in self.sums_broken[:3]]
        if self.left and not left:
            found.append(f"left behind: {self.left}")
        if unknown_at_most is not None and self.unknown > unknown_at_most:
            found.append(f"{self.unknown} unknown, at most {unknown_at_most} expected")
        return found


def examine(campaigns: Sequence[Campaign], ledger: Sequence[dict[str, Any]], samples: Samples) -> Verdict:
    """The campaigns' people reached nobody else's number: each has one campaign here."""
    samples.take()
    rows = Message.objects.filter(campaign__in=campaigns).values_list("contact__msisdn", "send_state")
    states = dict(rows)
    verdict = Verdict(people=sum(samples.people(campaign) for campaign in campaigns))
    count(verdict, states, Counter(line["msisdn"] for line in ledger))
    verdict.twice_live = _twice_live()
    verdict.without_intent = _without_intent(ledger)
    verdict.idle_in_transaction = _idle_in_transaction()
    verdict.zombies = zombies()
    verdict.sums_broken, verdict.samples = samples.broken, samples.taken
    if len(states) != verdict.people:
        verdict.sums_broken.append(f"{len(states)} people of {verdict.people} are left")
    return verdict


def count(verdict: Verdict, states: dict[str, str], copies: Counter[str]) -> None:
    """Add up each person's state beside their copies in the ledger."""
    for msisdn, state in states.items():
        n = copies[msisdn]
        verdict.doubled += n > 1
        verdict.accepted += state == "accepted"
        verdict.lost += state == "accepted" and n == 0
        verdict.lied += state in NOT_SENT and n > 0
        verdict.unknown_sent += state == "unknown" and n > 0
        verdict.unknown_unsent += state == "unknown" and n == 0
    verdict.strangers = len(copies.keys() - states.keys())
    verdict.left = dict(Counter(state for state in states.values() if state in PASSING))


def _twice_live() -> int:
    live = RequestRecipient.objects.filter(outcome__in=LIVE, superseded_at=None)
    return live.values("message").annotate(n=Count("pk")).filter(n__gt=1).count()


def _without_intent(ledger: Iterable[dict[str, Any]]) -> int:
    """Lines that no intent is older than. The sandbox's clock and the database's are one here."""
    first: dict[bytes, datetime] = {}
    rows = RequestRecipient.objects.values_list("address_hmac", "request__started_at")
    for hmac, started_at in rows.order_by("-request__started_at"):
        first[bytes(hmac)] = started_at
    late = datetime.max.replace(tzinfo=next(iter(first.values())).tzinfo) if first else None
    if late is None:
        return len(list(ledger))
    return sum(first.get(address_hmac(line["msisdn"]), late) > _moment(line) for line in ledger)


def _moment(line: dict[str, Any]) -> datetime:
    return datetime.fromisoformat(line["at"]) + timedelta(microseconds=1)  # the sandbox writes whole microseconds


def _idle_in_transaction() -> int:
    with database.cursor() as cursor:
        cursor.execute(IDLE_SQL)
        return cursor.fetchone()[0]

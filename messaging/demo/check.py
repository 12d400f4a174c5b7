"""One campaign from its file to its last DN, compared with the twin's ledger, while anything may be killed meanwhile.

Nothing here sends: that is the workers' part. A database or a twin that is away is waited for.
"""

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import TypeVar

from django.db import InterfaceError, OperationalError, connection
from django.db.models import QuerySet

from messaging import nudges, planning, reports
from messaging.demo import campaigns
from messaging.demo.campaigns import TookTooLong
from messaging.demo.players import Players, players
from messaging.demo.twin import Twin
from messaging.models import Campaign, Message
from messaging.policy import Lane
from messaging.statuses import FINAL, DeliveryState, SendState

T = TypeVar("T")
AWAY = (OperationalError, InterfaceError, OSError)  # killed, or not back yet; what requests raises is an OSError
AWAY_POLL_S, POLL_S = 0.5, 0.5
SHOWN = 5  # numbers named in a complaint

Say = Callable[[str], None]


class CampaignCheck:
    """`run` does it all and says how long each part took; what was wrong is what it returns."""

    def __init__(self, people: int, limit_s: float, say: Say) -> None:
        self.people, self.say = people, say
        self.until = time.monotonic() + limit_s
        self.name = f"Check {uuid.uuid4().hex[:8]}"
        self.campaign = Campaign()
        self.ledger: Counter[str] = Counter()

    def run(self) -> list[str]:
        team = self._patiently(players)
        twin = Twin(team.connection)
        self.seen = self._patiently(lambda: twin.state()["recipients"])
        people = self._part("import", lambda: campaigns.import_people(team, self.people, self.name))
        self.campaign = self._part(
            "template", lambda: campaigns.draft(team, self.name, people, "branch", Lane.TEMPLATE)
        )
        self._part("plan", lambda: campaigns.plan(team, self.campaign))
        self._patiently(lambda: self._launch(team))
        self._part("send", lambda: self._wait(self._sent, "every message to be sent"))
        self._part("delivered", lambda: self._wait(lambda: self._settled(twin), "every final DN"))
        return self._patiently(lambda: list(self.problems(twin)))

    def _launch(self, team: Players) -> None:
        campaigns.launch(team, self.campaign)
        nudges.tick()

    def _sent(self) -> bool:
        self.campaign.refresh_from_db()
        return self.campaign.state == Campaign.State.FINISHED

    def _settled(self, twin: Twin) -> bool:
        """Whether everyone in the ledger has a final DN; an unknown that is in it gets one too."""
        self._read_ledger(twin)
        final = set(self._messages().filter(delivery_state__in=FINAL).values_list("contact__msisdn", flat=True))
        return self.ledger.keys() <= final

    def problems(self, twin: Twin) -> Iterator[str]:
        self._read_ledger(twin)
        sums, audience = reports.sums(self.campaign), planning.audience_counts(self.campaign)
        self.say(f"{sums}".replace("Sums(", "sums: ").rstrip(")"))
        if not self.people == audience.listed == audience.audience == sums.audience:
            yield f"{self.people} people, {audience.listed} listed, {audience.audience} in it, {sums.audience} counted"
        if passing := sums.to_send + sums.in_flight + sums.held:
            yield f"{passing} messages are still on their way"
        yield from _complaint("more than once in the ledger", (who for who, times in self.ledger.items() if times > 1))
        yield from self._compared(delivered_only=not twin.state()["dn"]["undelivered_share"])

    def _compared(self, *, delivered_only: bool) -> Iterator[str]:
        """Our rows against the ledger."""
        good = frozenset({DeliveryState.DELIVERED}) if delivered_only else FINAL
        rows = {who or "": (send, delivery) for who, send, delivery in self._messages().values_list(*ROW)}
        unsettled = (who for who in self.ledger if who not in rows or not _ended(*rows[who], good))
        invented = (who for who, (send, _) in rows.items() if send == SendState.ACCEPTED and who not in self.ledger)
        unknown = [who for who, (send, _) in rows.items() if send == SendState.UNKNOWN and who not in self.ledger]
        yield from _complaint("in the ledger, but not accepted and delivered here", unsettled)
        yield from _complaint("accepted here, but not in the ledger", invented)
        if unknown:
            self.say(f"{len(unknown)} unknown and not in the ledger; they stay unknown: {', '.join(unknown)}")

    def _messages(self) -> QuerySet[Message]:
        return Message.objects.filter(campaign=self.campaign).counted().order_by("pk")

    def _read_ledger(self, twin: Twin) -> None:
        """What is new in the ledger, of the people of this campaign."""
        ours = set(self._messages().values_list("contact__msisdn", flat=True))
        for entry in twin.ledger(self.seen):
            self.seen = entry["seq"]
            if entry["msisdn"] in ours:
                self.ledger[entry["msisdn"]] += 1

    # Waiting

    def _part(self, name: str, step: Callable[[], T]) -> T:
        started = time.monotonic()
        result = self._patiently(step)
        self.say(f"{name:<10}{time.monotonic() - started:6.1f} s")
        return result

    def _patiently(self, step: Callable[[], T]) -> T:
        """Do a step again until nothing that it needs is away. Raises TookTooLong."""
        while True:
            try:
                return step()
            except AWAY as trouble:
                self._bear(trouble)

    def _bear(self, trouble: Exception) -> None:
        connection.close()
        if time.monotonic() > self.until:
            raise TookTooLong(f"{type(trouble).__name__} until the end") from trouble
        time.sleep(AWAY_POLL_S)

    def _wait(self, happened: Callable[[], bool], what: str) -> None:
        while not self._patiently(happened):
            if time.monotonic() > self.until:
                raise TookTooLong(f"waited to the end for {what}: {reports.sums(self.campaign)}")
            time.sleep(POLL_S)


ROW = ("contact__msisdn", "send_state", "delivery_state")


def _ended(send_state: str, delivery_state: str, good: frozenset[DeliveryState]) -> bool:
    return send_state == SendState.ACCEPTED and delivery_state in good


def _complaint(words: str, numbers: Iterator[str]) -> Iterator[str]:
    if found := sorted(numbers):
        yield f"{len(found)} {words}: {', '.join(found[:SHOWN])}"

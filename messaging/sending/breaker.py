"""When a provider stops giving usable answers, one message at a time asks whether it does again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from time import monotonic

from django.db import transaction

from messaging.audit import audit
from messaging.clock import db_now
from messaging.connections.accounts import lock_connection
from messaging.models import Incident
from messaging.providers.answers import Outcome
from messaging.providers.bulk360 import SendOutcome

OPENS_AFTER = 5  # requests in a row without a usable answer
PROBES_S = (1.0, 2.0, 5.0, 10.0, 20.0, 30.0)  # after each failed probe; every probe may leave one person unknown
OUR_OWN_DELAY = "too late for the first byte"  # providers.http: nothing that the provider did


@dataclass(slots=True)
class Breaker:
    """Of one connection in one process. Closed: all may leave. Open: one request of one recipient, when its time comes.

    A refusal is a usable answer: the provider is there and says no.
    """

    failed: int = 0
    probe_at: float = 0.0

    @property
    def open(self) -> bool:
        return self.failed >= OPENS_AFTER

    def room(self, free: int, running: int) -> int:
        """How many of the free requests may be used now."""
        if not self.open:
            return free
        return 1 if free and not running and monotonic() >= self.probe_at else 0

    def note(self, outcomes: Iterable[SendOutcome]) -> bool:
        """Count how requests ended, in any order; whether the breaker opened or closed by it."""
        was = self.open
        for outcome in outcomes:
            if outcome.error != OUR_OWN_DELAY:
                self.failed = self.failed + 1 if outcome.outcome in (Outcome.UNKNOWN, Outcome.NOT_SENT) else 0
        if self.open:
            step = min(self.failed - OPENS_AFTER, len(PROBES_S) - 1)
            self.probe_at = monotonic() + PROBES_S[step]
        return was != self.open


@transaction.atomic
def tell(connection_id: int, *, is_open: bool) -> None:
    """An incident while it is open; it closes by itself, for the people who read it afterwards."""
    connection = lock_connection(connection_id)
    now = db_now()
    incidents = Incident.objects.filter(
        connection=connection, campaign=None, kind=Incident.Kind.FAILING, closed_at=None
    )
    if is_open:
        words = f"{OPENS_AFTER} requests in a row got no usable answer."
        defaults = {"opened_at": now, "detail": words}
        made = Incident.objects.get_or_create(
            connection=connection, campaign=None, kind=Incident.Kind.FAILING, closed_at=None, defaults=defaults
        )[1]
        if made:
            audit(actor=None, act="connection.failing", subject=connection, now=now)
    elif incidents.update(closed_at=now):
        audit(actor=None, act="connection.answers_again", subject=connection, now=now)

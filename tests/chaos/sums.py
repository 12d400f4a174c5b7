"""Conservation (I1), sampled every second of a run: no person of a campaign is ever nowhere, or in two places."""

from __future__ import annotations

import time

from django.db.models import Count

from messaging import reports
from messaging.models import Campaign, Message

EVERY_S = 1.0


class Samples:
    def __init__(self) -> None:
        self.taken = 0
        self.broken: list[str] = []
        self._people: dict[int, int] = {}
        self._due = 0.0

    def watch(self, campaign: Campaign) -> None:
        """From now on as many people as it has."""
        self._people[campaign.pk] = Message.objects.filter(campaign=campaign).counted().count()

    def forget(self, campaign: Campaign) -> None:
        del self._people[campaign.pk]

    def people(self, campaign: Campaign) -> int:
        return self._people[campaign.pk]

    def take_if_due(self) -> None:
        if time.monotonic() >= self._due:
            self._due = time.monotonic() + EVERY_S
            self.take()

    def take(self) -> None:
        """Raises the database's error if it is away; such a moment is no sample."""
        for campaign in Campaign.objects.filter(pk__in=self._people):
            self._compare(campaign)
            self.taken += 1

    def _compare(self, campaign: Campaign) -> None:
        sums, people = reports.sums(campaign), self._people[campaign.pk]
        once = Message.objects.filter(campaign=campaign).values("contact").aggregate(n=Count("contact", distinct=True))
        if not sums.audience == people == once["n"]:
            self.broken.append(f"campaign {campaign.pk}: {sums} of {people} people, {once['n']} of them distinct")

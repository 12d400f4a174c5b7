import json
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from messaging import planning, reports
from messaging.models import Campaign


class Command(BaseCommand):
    help = "Print what became of a campaign's people, as one line of JSON."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("campaign", type=UUID)

    def handle(self, *, campaign: UUID, **_options: Any) -> None:
        found = Campaign.objects.filter(public_id=campaign).first()
        if found is None:
            raise CommandError("There is no campaign with this UUID.")
        sums, counts = reports.sums(found), planning.audience_counts(found)
        report = {
            "campaign": str(found.public_id),
            "state": found.state,
            "listed": counts.listed,
            "removed": counts.removed,
            "audience": sums.audience,
            **asdict(sums),
            "submitted": sums.submitted,
        }
        self.stdout.write(json.dumps(report))

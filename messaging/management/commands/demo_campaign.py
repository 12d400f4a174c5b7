from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from messaging import nudges
from messaging.clock import db_now
from messaging.demo import campaigns
from messaging.demo.campaigns import TookTooLong
from messaging.demo.players import NotSeeded, players
from messaging.errors import Refused
from messaging.policy import SENDING_LANES, Lane


class Command(BaseCommand):
    help = "Import people, approve a text and a campaign as two of the demo's users, launch it, and print its UUID."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--people", type=int, required=True)
        parser.add_argument("--personal", action="store_true", help="a text of one's own for everyone")
        parser.add_argument("--lane", choices=[lane.value for lane in SENDING_LANES], default=Lane.TEMPLATE.value)

    def handle(self, *, people: int, personal: bool, lane: str, **_options: Any) -> None:
        try:
            self.stdout.write(_launched(people, "personal" if personal else "plain", Lane(lane)))
        except (NotSeeded, Refused, TookTooLong) as problem:
            raise CommandError(str(problem)) from None


def _launched(people: int, kind: str, lane: Lane) -> str:
    team = players()
    contact_list = campaigns.import_people(team, people, f"Demo: {people} people")
    if lane is Lane.SESSION:
        campaigns.open_windows(team, contact_list)
    at = timezone.localtime(db_now())
    name = f"Demo: {people} people, {at:%d %b %H:%M:%S}.{at.microsecond // 1000:03}"
    campaign = campaigns.draft(team, name, contact_list, kind, lane)
    campaigns.plan(team, campaign)
    campaigns.launch(team, campaign)
    nudges.tick()
    return str(campaign.public_id)

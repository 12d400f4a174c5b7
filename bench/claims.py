"""What a claim costs as a campaign is worked off: its last tenth beside its first. Dead entries must not pile up."""

from __future__ import annotations

import statistics
import time

from django.db import connection as database

from bench import sink
from bench.figures import Pair
from bench.house import House
from messaging import campaigns
from messaging.clock import db_now
from messaging.sending.claim import Marks, claim

PEOPLE = 200_000
WAVE = 112  # rows: sixteen requests of seven
SETTLE_SQL = """
UPDATE messaging_message
SET send_state = 'accepted', lane = 'template', accepted_at = clock_timestamp(), lease_until = NULL WHERE id = ANY (%s)
"""


def run(*, runs: int, people: int) -> None:
    """Print rows claimed a second in the last tenth, its baseline being the first tenth."""
    pair = Pair(f"claims, last tenth of {people:,}", "rows/s")
    with sink.running() as provider:
        house = House(provider, people)
        for _ in range(runs):
            costs = _work_off(house)
            tenth = len(costs) // 10
            pair.baseline.append(WAVE / statistics.median(costs[:tenth]))
            pair.ours.append(WAVE / statistics.median(costs[-tenth:]))
    pair.show()


def _work_off(house: House) -> list[float]:
    """Seconds of each full claim, from the first to the last."""
    campaign = house.approved("The clinic opens at nine tomorrow.")
    campaigns.launch_campaign(campaign=campaign, user=house.approver, now=db_now())
    campaigns.start_due(db_now())
    marks, costs = Marks(), []
    while True:
        marks.forget_if_due(time.monotonic())
        began = time.monotonic()
        ids = claim(house.connection, limit=WAVE, marks=marks).ids
        if len(ids) == WAVE:
            costs.append(time.monotonic() - began)
        if not ids:
            return costs
        with database.cursor() as cursor:
            cursor.execute(SETTLE_SQL, [ids])

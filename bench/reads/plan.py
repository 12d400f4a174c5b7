"""The plan's counts, through our service, beside the bare SQL of the same counting.

The bare statement knows the list, who opted out, bad numbers and open windows, and gives the same lanes: no reasons, no
values of placeholders, no consent, no cap, no excluded lists.
"""

from __future__ import annotations

import statistics
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from django.db import connection as database

from bench.figures import note
from bench.reads.rows import House
from messaging import planning
from messaging.clock import db_now
from messaging.models import Campaign
from messaging.policy import SESSION_WINDOW

TEXTS = {"a text for all": "The clinic opens at nine tomorrow.", "a personal text": "Dear {{name}}, see you at nine."}
AIM_RATIO, AIM_S = 1.5, 1.0
BARE_SQL = """
SELECT CASE WHEN c.msisdn IS NULL OR s.address_hmac IS NOT NULL THEN 'skipped'
            WHEN c.whatsapp_bad_at IS NULL AND w.last_mo_at >= %(edge)s THEN 'session'
            WHEN c.whatsapp_bad_at IS NULL THEN 'template'
            WHEN c.sms_bad_at IS NULL THEN 'sms' ELSE 'skipped' END AS lane, count(*)
FROM contacts_listmembership m
JOIN contacts_contact c ON c.id = m.contact_id
LEFT JOIN messaging_conversation w
       ON w.contact_id = c.id AND w.connection_id = %(connection)s AND w.channel = 'whatsapp'
LEFT JOIN contacts_suppression s ON s.address_hmac = c.address_hmac
WHERE m.contact_list_id = %(list)s GROUP BY 1
"""


def compare(house: House, *, runs: int) -> None:
    """Print seconds of both, in turn, after one of each that warms up."""
    for name, text in TEXTS.items():
        campaign, at = house.draft(text), db_now()
        ours = _timed(lambda: by_rule(campaign, at))  # noqa: B023, both are called within this turn
        bare = _timed(lambda: by_bare_sql(house, campaign, at))  # noqa: B023
        seconds: dict[str, list[float]] = {"ours": [], "bare SQL": []}
        assert ours()[1] == bare()[1], (ours()[1], bare()[1])
        for _ in range(runs):
            seconds["ours"].append(ours()[0])
            seconds["bare SQL"].append(bare()[0])
        note(f"plan's counts of {house.people:,}, {name}", "s", seconds)
        ratio = statistics.median(a / b for a, b in zip(*seconds.values(), strict=True))
        met = ratio <= AIM_RATIO and statistics.median(seconds["ours"]) < AIM_S
        print(f"  {ratio:.2f} times the bare SQL, aim {AIM_RATIO} and {AIM_S:g} s: {'met' if met else 'not met'}")


def _timed(work: Callable[[], Counter[str]]) -> Callable[[], tuple[float, Counter[str]]]:
    def timed() -> tuple[float, Counter[str]]:
        began = time.monotonic()
        counted = work()
        return time.monotonic() - began, counted

    return timed


def by_rule(campaign: Campaign, at: datetime) -> Counter[str]:
    lanes: Counter[str] = Counter()
    for count in planning.forecast(campaign=campaign, at=at):
        lanes[str(count.lane)] += count.people
    return lanes


def by_bare_sql(house: House, campaign: Campaign, at: datetime) -> Counter[str]:
    edge = at + timedelta(seconds=campaign.connection.window_margin_s) - SESSION_WINDOW
    asked = {"edge": edge, "connection": campaign.connection_id, "list": house.small.list.pk}
    with database.cursor() as cursor:
        cursor.execute(BARE_SQL, asked)
        return Counter(dict(cursor.fetchall()))

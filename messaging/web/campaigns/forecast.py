"""A draft's counts. Over many people they take a while, and every pause in typing saves: they are kept for a little."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache

from messaging import planning
from messaging.models import Campaign
from messaging.planning import MEMBERS_SQL, AudienceCounts, LaneCount, plan_time
from messaging.rule_sql import rule_sql

MANY = 5_000  # rows of the lists: fewer are counted afresh each time
KEPT_S = 15
BY_THE_CLOCK = ("at", "at_with_margin_window", "cap_since")  # the rule's parameters that every instant changes


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a draft would do, and when that was counted."""

    audience: AudienceCounts
    counts: list[LaneCount]
    counted_at: datetime


def forecast(campaign: Campaign, now: datetime) -> Forecast:
    """Counted now, or up to KEPT_S ago under the same rule: other words do not count anew, another placeholder does."""
    key = _key(campaign, now)
    kept = cache.get(key)
    if isinstance(kept, Forecast):
        return kept
    audience = planning.audience_counts(campaign)
    found = Forecast(audience, planning.forecast(campaign=campaign, at=plan_time(campaign, now)), now)
    if audience.listed > MANY:
        cache.set(key, found, KEPT_S)
    return found


def _key(campaign: Campaign, now: datetime) -> str:
    """Everything that decides the counts, but for time and the people themselves."""
    rule = rule_sql(campaign, now, MEMBERS_SQL)
    asked = sorted((name, value) for name, value in rule.params.items() if name not in BY_THE_CLOCK)
    times = (campaign.send_at, campaign.not_after, campaign.quiet_from, campaign.quiet_to, campaign.time_zone)
    lists = sorted(campaign.audience.values_list("contact_list", "excluded"))
    decided = (rule.sql, asked, times, campaign.connection.window_margin_s, lists)
    return f"forecast-{campaign.pk}-{hashlib.sha256(repr(decided).encode()).hexdigest()}"

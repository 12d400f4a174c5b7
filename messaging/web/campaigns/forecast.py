"""A draft's counts. Over many people they take a while, and every pause in typing saves: they are kept for a little."""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import cache

from contacts.models import ListMembership
from messaging import planning
from messaging.models import Campaign
from messaging.planning import MEMBERS_SQL, AudienceCounts, LaneCount, plan_time
from messaging.rule_sql import rule_sql
from messaging.web.campaigns.hours import times

MANY = 5_000  # rows of the lists: fewer are counted afresh each time
KEPT_S = 15
BY_THE_CLOCK = ("at", "edges", "caps")  # the rule's parameters that every instant changes


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a draft would do, and when that was counted."""

    audience: AudienceCounts
    counts: list[LaneCount]
    hours: list[tuple[datetime, list[LaneCount]]]
    counted_at: datetime
    rule: str  # by what it was counted

    @property
    def mark(self) -> str:
        """By what it was counted and how many people it is of; a page hands it back with what it asks for."""
        return _mark(self.rule, self.audience.audience)


def forecast(campaign: Campaign, now: datetime) -> Forecast:
    """Counted now, or up to KEPT_S ago under the same rule: other words do not count anew, another placeholder does."""
    rule = _rule(campaign, now)
    return _kept(campaign, rule) or _count(campaign, rule, now)


def at_once(campaign: Campaign, now: datetime) -> Forecast | None:
    """The same if it takes no time: kept from before, or of few people; else None."""
    rule = _rule(campaign, now)
    return _kept(campaign, rule) or (None if many(campaign) else _count(campaign, rule, now))


def mark(campaign: Campaign, now: datetime) -> str:
    """The mark of a forecast made now; it counts the people alone."""
    return _mark(_rule(campaign, now), planning.audience_size(campaign))


def _mark(rule: str, people: int) -> str:
    return f"{rule}:{people}"


def _kept(campaign: Campaign, rule: str) -> Forecast | None:
    kept = cache.get(_key(campaign, rule))
    return kept if isinstance(kept, Forecast) else None


def many(campaign: Campaign) -> bool:
    """Whether more than MANY rows stand in its lists; looks no further than that."""
    lists = campaign.audience.filter(excluded=False).values("contact_list")
    return ListMembership.objects.filter(contact_list__in=lists)[: MANY + 1].count() > MANY


def _count(campaign: Campaign, rule: str, now: datetime) -> Forecast:
    ats, at = times(campaign, now), plan_time(campaign, now)
    together = sorted({*ats, at})
    counts = dict(zip(together, planning.forecasts(campaign=campaign, ats=together), strict=True))
    audience = planning.audience_counts(campaign, people=sum(one.people for one in counts[at]))
    found = Forecast(audience, counts[at], [(hour, counts[hour]) for hour in ats], now, rule)
    if audience.listed > MANY:
        cache.set(_key(campaign, rule), found, KEPT_S)
    return found


def _key(campaign: Campaign, rule: str) -> str:
    return f"forecast-{campaign.pk}-{rule}"


def _rule(campaign: Campaign, now: datetime) -> str:
    """Everything that decides the counts, but for time and the people themselves."""
    rule = rule_sql(campaign, now, MEMBERS_SQL)
    asked = sorted((name, value) for name, value in rule.params.items() if name not in BY_THE_CLOCK)
    times = (campaign.send_at, campaign.not_after, campaign.quiet_from, campaign.quiet_to, campaign.time_zone)
    lists = sorted(campaign.audience.values_list("contact_list", "excluded"))
    decided = (rule.sql, asked, times, campaign.connection.window_margin_s, lists)
    return hashlib.sha256(repr(decided).encode()).hexdigest()

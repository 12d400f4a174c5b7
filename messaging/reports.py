"""What did happen, in sums that close: audience = skipped + held + to send + in flight + … + submitted."""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Count

from messaging import statuses
from messaging.models import Campaign, Message
from messaging.planning import LaneCount, in_order

GROUPED = ("send_state", "delivery_state", "planned_lane", "planned_reason", "lane")
UNDECIDED = ("planned", "queued", "claimed")  # their lane is not the last word


def sums(campaign: Campaign) -> statuses.Sums:
    """The campaign's people by what became of them; every row is in exactly one place."""
    return tally(campaign).sums


def sums_of(campaigns: Collection[Campaign]) -> dict[int, statuses.Sums]:
    """Sums of several campaigns in one query, by id; one without rows has zeros."""
    rows = (
        Message.objects.filter(campaign__in=campaigns)
        .counted()
        .order_by()
        .values_list("campaign", "send_state", "delivery_state")
        .annotate(people=Count("*"))
    )
    found: dict[int, dict[tuple[str, str], int]] = {campaign.pk: {} for campaign in campaigns}
    for campaign, send_state, delivery_state, people in rows:
        found[campaign][send_state, delivery_state] = people
    return {campaign: statuses.sums(counts) for campaign, counts in found.items()}


@dataclass(frozen=True, slots=True)
class Group:
    """How many of a campaign's people share this plan and this outcome."""

    send_state: str
    delivery_state: str
    planned_lane: str
    planned_reason: str
    lane: str
    people: int


@dataclass(frozen=True, slots=True)
class Tally:
    """A campaign's people by plan and outcome, read at one instant: what is added up from it agrees with itself."""

    groups: list[Group]

    @property
    def sums(self) -> statuses.Sums:
        counts: Counter[tuple[str, str]] = Counter()
        for one in self.groups:
            counts[one.send_state, one.delivery_state] += one.people
        return statuses.sums(counts)

    @property
    def planned(self) -> list[LaneCount]:
        """The plan's counts as they were written."""
        added = _added((one.planned_lane, one.planned_reason, one.people) for one in self.groups)
        return in_order(LaneCount(lane, reason, people) for (lane, reason), people in added.items())

    @property
    def changed(self) -> Counter[tuple[str, str]]:
        """People by planned lane and the lane that it became, for everyone who left, or was held back, otherwise.

        Who waits, was cancelled or expired has no lane: for them the plan did not turn out at all, which the sums say.
        """
        became = ((one.planned_lane, _became(one), one.people) for one in self.groups)
        return _added((planned, lane, people) for planned, lane, people in became if lane and planned != lane)


def _became(group: Group) -> str:
    return "held" if group.send_state == "held" else "" if group.send_state in UNDECIDED else group.lane


def _added(rows: Iterable[tuple[str, str, int]]) -> Counter[tuple[str, str]]:
    added: Counter[tuple[str, str]] = Counter()
    for first, second, people in rows:
        added[first, second] += people
    return added


def tally(campaign: Campaign) -> Tally:
    """One statement, answered from the index message_sums alone."""
    rows = (
        Message.objects.filter(campaign=campaign).counted().order_by().values_list(*GROUPED).annotate(people=Count("*"))
    )
    return Tally([Group(*row) for row in rows])

"""What did happen, in sums that close: audience = skipped + held + to send + in flight + … + submitted."""

from dataclasses import dataclass

from django.db.models import Case, Count, Value, When

from messaging import statuses
from messaging.models import Campaign, Message


@dataclass(frozen=True, slots=True)
class OutcomeGroup:
    """How many of a campaign's people share this outcome."""

    send_state: str
    delivery_state: str
    lane: str
    reason: str
    people: int


def sums(campaign: Campaign) -> statuses.Sums:
    """The campaign's people by what became of them; every row is in exactly one place."""
    rows = (
        Message.objects.filter(campaign=campaign)
        .counted()
        .order_by()
        .values_list("send_state", "delivery_state")
        .annotate(people=Count("pk"))
    )
    return statuses.sums({(send, delivery): people for send, delivery, people in rows})


def outcome_groups(campaign: Campaign) -> list[OutcomeGroup]:
    """People by state, lane and reason, largest group first."""
    rows = (
        Message.objects.filter(campaign=campaign)
        .counted()
        .order_by()
        .values_list("send_state", "delivery_state", "lane", "reason")
        .annotate(people=Count("pk"))
    )
    return sorted((OutcomeGroup(*row) for row in rows), key=lambda group: -group.people)


def planned_and_happened(campaign: Campaign) -> list[tuple[str, str, int]]:
    """(planned lane, lane that it became, people) for everyone who left, or was held back, otherwise than planned.

    Who waits, was cancelled or expired has no lane: for them the plan did not turn out at all, which the sums say.
    """
    rows = (
        Message.objects.filter(campaign=campaign)
        .counted()
        .exclude(send_state__in=["planned", "queued", "claimed"])
        .exclude(lane="", held_for="")
        .order_by()
        .values_list("planned_lane", Case(When(send_state="held", then=Value("held")), default="lane"))
        .annotate(people=Count("pk"))
    )
    return [(planned, lane, people) for planned, lane, people in rows if planned != lane]

"""Which of a campaign's people a table shows; the choice stands in the URL."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.db.models import F, Q, QuerySet
from django.http import QueryDict

from contacts.models import Contact
from messaging import responses
from messaging.failures import ToDo, failed_rows
from messaging.models import Campaign, Message
from messaging.policy import Lane, Reason
from messaging.statuses import SUBMITTED, DeliveryState, SendState, bucket

OUTCOMES = (
    "skipped", "held", "to_send", "in_flight", "refused", "cancelled", "expired", "stuck",
    "submitted", "delivered", "undelivered", "waiting", "unknown",
)  # fmt: skip


RESPONSES = {"wrote": responses.wrote, "opted_out": responses.opted_out}


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """What is asked for; empty means all. `lane` and `reason` are the actual ones, or the planned before the start."""

    outcome: str = ""
    lane: str = ""
    reason: str = ""
    changed: bool = False  # whom something else happened to than planned
    code: str = ""  # the error code of their last DN
    search: str = ""
    to_do: str = ""  # about their failure: one of ToDo
    then: str = ""  # what they did after it reached them: one of RESPONSES

    @classmethod
    def read(cls, query: QueryDict) -> "PeopleFilter":
        """From a URL; what is no word of ours is dropped."""
        lane, outcome = query.get("lane", ""), query.get("outcome", "")
        return cls(
            outcome=outcome if outcome in OUTCOMES else "",
            lane=lane if lane in list(Lane) else "",
            reason=query.get("reason", "")[:64],
            changed=query.get("changed") == "1",
            code=query.get("code", "")[:16],
            search=query.get("q", "").strip()[:100],
            to_do=query.get("to_do", "") if query.get("to_do", "") in list(ToDo) else "",
            then=query.get("then", "") if query.get("then", "") in RESPONSES else "",
        )

    @property
    def active(self) -> bool:
        return self != PeopleFilter()

    def query(self, **changes: str) -> str:
        """The URL's query with something changed; an empty value drops it."""
        values = {
            "outcome": self.outcome,
            "lane": self.lane,
            "reason": self.reason,
            "changed": "1" if self.changed else "",
            "code": self.code,
            "q": self.search,
            "to_do": self.to_do,
            "then": self.then,
        } | changes
        return urlencode({key: value for key, value in values.items() if value})

    def apply(self, rows: QuerySet[Message], campaign: Campaign) -> QuerySet[Message]:
        """The rows asked for, of this campaign's counted ones."""
        planned = campaign.launched_at is None or campaign.state == Campaign.State.SCHEDULED
        lane, reason = ("planned_lane", "planned_reason") if planned else ("lane", "reason")
        if self.outcome:
            rows = rows.filter(outcome_q(self.outcome))
        if self.lane:
            rows = rows.filter(**{lane: self.lane})
        if self.reason:
            rows = rows.filter(**{reason: self.reason})
        if self.changed:
            rows = rows.filter(differs())
        if self.code:
            rows = rows.filter(error_code=self.code)
        if self.to_do:
            rows = rows.filter(pk__in=failed_rows(campaign, ToDo(self.to_do)).values("pk"))
        if self.then:
            rows = rows.filter(responded(self.then, campaign))
        if self.search:
            rows = rows.filter(contact__in=Contact.objects.search(self.search))
        return rows


def responded(then: str, campaign: Campaign) -> Q:
    """The rows of those who did this after it reached them; before the launch nobody did."""
    return RESPONSES[then](campaign) if campaign.launched_at else Q(pk__in=[])


def outcome_q(outcome: str) -> Q:
    """The (send_state, delivery_state) pairs that statuses.bucket counts under this word."""
    if outcome == "submitted":
        return Q(send_state__in=[state.value for state in SUBMITTED])
    found = Q(pk__in=[])
    for state in SendState:
        deliveries = [word.value for word in DeliveryState if bucket(state, word) == outcome]
        if deliveries:
            found |= Q(send_state=state.value, delivery_state__in=deliveries)
    return found


def differs() -> Q:
    """Rows whose lane is no longer the planned one."""
    settled = ~Q(lane="") & ~Q(planned_lane="") & ~Q(send_state=SendState.PLANNED)
    return settled & ~Q(lane=F("planned_lane"))


def reason_code(reason: str) -> Reason | None:
    """The rule's own word in a reason such as missing_variable:name; None for one that is not the rule's."""
    try:
        return Reason(reason.partition(":")[0])
    except ValueError:
        return None

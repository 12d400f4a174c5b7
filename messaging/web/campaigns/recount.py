"""Whether what is about to be submitted is what the page had counted; if not, what it is now."""

from dataclasses import dataclass
from datetime import datetime

from messaging.models import Campaign
from messaging.planning import AudienceCounts
from messaging.web.campaigns.figures import to_leave
from messaging.web.campaigns.forecast import Forecast, forecast, mark
from messaging.web.frame import words


@dataclass(frozen=True, slots=True)
class Recount:
    """Figures that its writer has not seen yet. `before` is how many people the page had counted, None: none yet."""

    before: int | None
    counted: Forecast

    @property
    def audience(self) -> AudienceCounts:
        return self.counted.audience

    @property
    def was(self) -> str:
        """What the page had counted, if that is another number."""
        return "" if self.before in (None, self.audience.audience) else words.people(self.before or 0)

    @property
    def leaving(self) -> int:
        return to_leave(self.counted.counts)


def recount(campaign: Campaign, seen: str, now: datetime) -> Recount | None:
    """None if `seen` is the mark of what would be submitted: the same rule about the same lists, as many people."""
    if seen == mark(campaign, now):
        return None
    before = seen.rpartition(":")[2]
    return Recount(int(before) if before.isdecimal() and len(before) < 10 else None, forecast(campaign, now))

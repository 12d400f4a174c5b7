"""What failed in a campaign, group by group, each with the one thing to do about it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from messaging import campaigns
from messaging.failures import RETRYABLE, Failure, ToDo, failures
from messaging.models import Campaign
from messaging.providers.codes import answer_code, dn_code
from messaging.web.frame import words

TO_DO_WORDS: Mapping[ToDo, Promise] = {
    ToDo.WAIT: _("Wait: it may still arrive"),
    ToDo.LATER: _("Try again later"),
    ToDo.NUMBER: _("Check the number"),
    ToDo.TEXT: _("Change the text"),
    ToDo.ACCOUNT: _("Settle it with the provider"),
    ToDo.ALONE: _("Leave alone"),
}


@dataclass(frozen=True, slots=True)
class FailureLine:
    """People whose message failed in one way: the code in words, and how to see them."""

    code: str
    words: str
    next_step: str
    people: int
    query: str  # of the table that shows them


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Failures by what a person can do about them. `left`: how many another try is for; others have theirs already."""

    to_do: ToDo
    words: Promise
    lines: list[FailureLine]
    left: int

    @property
    def people(self) -> int:
        return sum(line.people for line in self.lines)

    @property
    def retry_words(self) -> str:
        said = _("Write another text for %s") if self.to_do is ToDo.TEXT else _("Try again with %s")
        return said % words.people(self.left)


def failure_groups(campaign: Campaign) -> list[FailureGroup]:
    """Undelivered and refused messages by what to do, the largest group first."""
    groups: dict[ToDo, list[Failure]] = {}
    for failure in failures(campaign):
        groups.setdefault(failure.to_do, []).append(failure)
    left = campaigns.left_by_to_do(campaign) if RETRYABLE & groups.keys() else Counter[ToDo]()
    found = [
        FailureGroup(to_do, TO_DO_WORDS[to_do], [_line(one) for one in failed], left[to_do])
        for to_do, failed in groups.items()
    ]
    return sorted(found, key=lambda group: -group.people)


def _line(failure: Failure) -> FailureLine:
    known = answer_code(failure.code) if failure.outcome == "refused" else dn_code(failure.code)
    said, step = (known.words, known.next_step) if known else (_("The provider gave no reason."), "")
    query = f"outcome={failure.outcome}"
    if failure.outcome == "undelivered" and failure.code:
        query += f"&code={quote(failure.code)}"
    return FailureLine(failure.code, str(said), str(step), failure.people, query)

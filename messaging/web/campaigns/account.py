"""What became of everyone who was to get a campaign, in one sentence whose parts add up to its whole."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from messaging.statuses import Sums

# Every field of Sums but the skipped, who were not to get it.
SUBMITTED: Mapping[str, Promise] = {
    "delivered": _("delivered"),
    "undelivered": _("not delivered"),
    "waiting": _("without a report yet"),
    "unknown": _("unknown"),
}
NOT_SUBMITTED: Mapping[str, Promise] = {
    "to_send": _("to send"),
    "in_flight": _("being sent"),
    "held": _("held back"),
    "refused": _("refused"),
    "expired": _("expired"),
    "cancelled": _("cancelled"),
    "stuck": _("stuck: a person has to look"),
}


def submitted_words(sums: Sums) -> str:
    """While it moves: “2 of 5 submitted · 3 to send.”"""
    first = _now("%(done)s of %(all)s submitted") % _figures(sums, sums.submitted)
    return _sentence(first, sums, NOT_SUBMITTED)


def delivered_words(sums: Sums) -> str:
    """When it is over: “40 of 48 delivered · 4 not delivered · 1 refused …”"""
    first = _now("%(done)s of %(all)s delivered") % _figures(sums, sums.delivered)
    rest = {name: told for name, told in {**SUBMITTED, **NOT_SUBMITTED}.items() if name != "delivered"}
    return _sentence(first, sums, rest)


def _figures(sums: Sums, done: int) -> dict[str, str]:
    return {"done": f"{done:,}", "all": f"{sums.audience - sums.skipped:,}"}


def _sentence(first: str, sums: Sums, rest: Mapping[str, Promise]) -> str:
    counted = [(getattr(sums, name), told) for name, told in rest.items()]
    return " · ".join([first, *(f"{count:,} {told}" for count, told in counted if count)]) + "."

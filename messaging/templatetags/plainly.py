"""Our codes in words, for templates: reasons, lanes, acts and times."""

from datetime import datetime

from django import template

from messaging.web.contacts import scopes
from messaging.web.conversations import timeline, ways
from messaging.web.frame import words

register = template.Library()

register.filter(words.reason_words)
register.filter(words.reason_short)
register.filter(words.lane_words)
register.filter(words.act_words)
register.filter(words.facts_words)
register.filter(words.moment)
register.filter(words.duration)
register.filter(words.messages)
register.filter(words.dn_words)
register.filter(words.code_words)
register.filter("timeline_days", timeline.days)
register.filter("opt_out_chip", ways.chip_of)
register.filter(scopes.scope_words)
register.filter(scopes.stopped_words)


@register.filter
def moment_in(at: object, zone: str) -> str:
    """A time on the clock of a named zone."""
    return words.moment_in(at, zone) if at else ""  # type: ignore[arg-type]


@register.filter
def flag_words(flag: str) -> str:
    """What was odd about a delivery notification."""
    return words.flag_words(flag)


@register.filter
def waited(since: datetime, now: datetime) -> str:
    """How long somebody has been waiting."""
    return words.duration(now - since)

"""What a person reads for our codes: reasons, statuses, lanes and acts, and how times and numbers are written."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from messaging.models import AudienceRemoval
from messaging.policy import Lane, Reason
from messaging.statuses import STATUS_WORDS, Status

REASON_WORDS: Mapping[Reason, Promise] = {
    Reason.WINDOW_OPEN: _("They wrote to us within 24 hours, so free text may go."),
    Reason.TEMPLATE_APPROVED: _("Goes as the approved template."),
    Reason.SMS_TEXT: _("Goes as SMS."),
    Reason.QUIET_HOURS: _("Held until the quiet hours end."),
    Reason.UNTIL_REPLY: _("Held until they write to us."),
    Reason.ERASED: _("This person's data was erased."),
    Reason.NO_NUMBER: _("We have no phone number for this person."),
    Reason.NO_TEXT: _("There is no text for any way of sending."),
    Reason.EXPIRED: _("It would leave after the time you set as the latest."),
    Reason.OPTED_OUT: _("They asked us not to write to them."),
    Reason.NO_CONSENT: _("They have not agreed to marketing."),
    Reason.NUMBER_BAD: _("The provider says that this number does not work."),
    Reason.CAPPED: _("They have had as many messages today as we allow."),
    Reason.WINDOW_CLOSED: _("They have not written within 24 hours, so free text may not go."),
    Reason.MARKETING_IN_TEMPLATE: _("The provider does not allow marketing as a template."),
    Reason.TEMPLATE_NOT_APPROVED: _("The template is not approved, by us or by the provider."),
    Reason.MISSING_VARIABLE: _("A value that the text needs is missing."),
    Reason.UNFIT_VARIABLE: _("A value does not fit into the text."),
}
VARIABLE_WORDS: Mapping[Reason, Promise] = {
    Reason.MISSING_VARIABLE: _("The text needs “{name}”, which is empty for this person."),
    Reason.UNFIT_VARIABLE: _(
        "“{name}” cannot stand in the text: it is too long, or has a line break or two blanks together."
    ),
}
SHORT_REASONS: Mapping[Reason, Promise] = {
    Reason.WINDOW_OPEN: _("wrote within 24 hours"),
    Reason.TEMPLATE_APPROVED: _("approved template"),
    Reason.SMS_TEXT: _("SMS text"),
    Reason.QUIET_HOURS: _("quiet hours"),
    Reason.UNTIL_REPLY: _("until they write"),
    Reason.ERASED: _("data erased"),
    Reason.NO_NUMBER: _("no phone number"),
    Reason.NO_TEXT: _("no text"),
    Reason.EXPIRED: _("too late"),
    Reason.OPTED_OUT: _("opted out"),
    Reason.NO_CONSENT: _("no consent to marketing"),
    Reason.NUMBER_BAD: _("number does not work"),
    Reason.CAPPED: _("daily limit reached"),
    Reason.WINDOW_CLOSED: _("24 hours over"),
    Reason.MARKETING_IN_TEMPLATE: _("marketing may not be a template"),
    Reason.TEMPLATE_NOT_APPROVED: _("template not approved"),
    Reason.MISSING_VARIABLE: _("a value is missing"),
    Reason.UNFIT_VARIABLE: _("a value does not fit"),
}
SHORT_VARIABLES: Mapping[Reason, Promise] = {
    Reason.MISSING_VARIABLE: _("no “{name}”"),
    Reason.UNFIT_VARIABLE: _("“{name}” does not fit"),
}
LANE_WORDS: Mapping[Lane, Promise] = {
    Lane.SESSION: _("Session text"),
    Lane.TEMPLATE: _("Template"),
    Lane.SMS: _("SMS"),
    Lane.HELD: _("Held"),
    Lane.SKIPPED: _("Skipped"),
    Lane.EXPIRED: _("Expired"),
}
REMOVAL_WORDS: Mapping[str, Promise] = {
    AudienceRemoval.Reason.DUPLICATE: _("already in another list"),
    AudienceRemoval.Reason.EXCLUDED: _("in an excluded list"),
}
ACT_WORDS: Mapping[str, Promise] = {
    "campaign.created": _("made the draft"),
    "campaign.edited": _("changed the draft"),
    "campaign.submitted": _("asked for approval"),
    "campaign.withdrawn": _("took it back to draft"),
    "campaign.approved": _("approved it"),
    "campaign.returned": _("returned it"),
    "campaign.launched": _("started it"),
    "campaign.scheduled": _("scheduled it"),
    "campaign.started": _("began to send"),
    "campaign.paused": _("paused it"),
    "campaign.resumed": _("resumed it"),
    "campaign.cancelled": _("cancelled it"),
    "campaign.finished": _("finished"),
    "campaign.sealed": _("finished the flight plan"),
    "conversation.meant_to_stop": _("read it as a wish to stop"),
    "conversation.did_not_mean_stop": _("read it as no wish to stop"),
    "campaign.tested": _("sent a test"),
    "message.kept_waiting": _("looked at it and kept waiting"),
    "message.treated_as_sent": _("treated an unknown message as sent"),
    "message.sent_again": _("sent an unknown message again"),
}

FLAG_WORDS: Mapping[str, Promise] = {
    "ambiguous_ref": _("Its reference belongs to more than one request."),
    "ambiguous_number": _("It fits more than one request."),
    "fits_no_request": _("It fits no request of ours."),
    "number_beats_index": _("Its number and its position name different people; the number was believed."),
}


def reason_words(reason: str) -> str:
    """The sentence for a reason, with its variable named; a word that is not ours is shown as it is."""
    return _say(reason, REASON_WORDS, VARIABLE_WORDS)


def reason_short(reason: str) -> str:
    """A few words for a table's heading or a group."""
    return _say(reason, SHORT_REASONS, SHORT_VARIABLES)


def _say(reason: str, words: Mapping[Reason, Promise], with_name: Mapping[Reason, Promise]) -> str:
    code, _colon, name = reason.partition(":")
    try:
        known = Reason(code)
    except ValueError:
        return reason.replace("_", " ")
    return str(with_name[known]).format(name=name) if name and known in with_name else str(words[known])


def status_words(status: Status | str) -> str:
    return str(STATUS_WORDS[Status(status)])


def lane_words(lane: Lane | str) -> str:
    """The lane's name; empty for a message that has none yet."""
    return str(LANE_WORDS[Lane(lane)]) if lane else ""


def act_words(act: str) -> str:
    """What somebody did, to follow their name; an act without words is shown as it is."""
    return str(ACT_WORDS.get(act, act.replace(".", " ").replace("_", " ")))


def facts_words(facts: Mapping[str, Any] | None) -> str:
    """What a lane was decided on: when the person last wrote and when that window ended."""
    last, ends = (parse_datetime((facts or {}).get(key) or "") for key in ("last_mo_at", "window_ends_at"))
    if not facts or "rule" not in facts:
        return ""
    if not last or not ends:
        return _now("They had never written to us.")
    return _now("Last wrote %(last)s; window until %(ends)s.") % {"last": moment(last), "ends": moment(ends)}


def moment(at: datetime) -> str:
    """A time in the reader's zone, e.g. Wed 3 Mar 09:00."""
    return date_format(timezone.localtime(at), "D j M H:i")


def moment_in(at: datetime, zone: str) -> str:
    """A time on the clock of a named zone, with the zone's name: Wed 3 Mar 09:00 (Asia/Kuala_Lumpur)."""
    return f"{date_format(at.astimezone(ZoneInfo(zone)), 'D j M H:i')} ({zone})"


def clock(at: datetime) -> str:
    return date_format(timezone.localtime(at), "H:i")


def duration(span: timedelta) -> str:
    """A span in at most two units: 3 h 12 min, 4 min, 2 d 5 h."""
    minutes = max(0, int(span.total_seconds()) // 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days:
        return _now("%(days)d d %(hours)d h") % {"days": days, "hours": hours}
    if hours:
        return _now("%(hours)d h %(minutes)d min") % {"hours": hours, "minutes": rest}
    return _now("%(minutes)d min") % {"minutes": rest}


def people(count: int) -> str:
    """“1 person”, “2,500 people”."""
    return ngettext("%(count)s person", "%(count)s people", count) % {"count": f"{count:,}"}


def messages(count: int) -> str:
    return ngettext("%(count)s message", "%(count)s messages", count) % {"count": f"{count:,}"}


def flag_words(flag: str) -> str:
    """What was odd about a delivery notification; a flag without words is shown as it is."""
    return str(FLAG_WORDS.get(flag, flag.replace("_", " ")))

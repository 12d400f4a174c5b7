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

from messaging.models import AudienceRemoval, Message
from messaging.policy import Lane
from messaging.providers.codes import answer_code, dn_code
from messaging.reasons import reason_short, reason_words
from messaging.statuses import STATUS_WORDS, SendState, Status

__all__ = [
    "act_words",
    "clock",
    "code_words",
    "dn_words",
    "duration",
    "facts_words",
    "flag_words",
    "lane_words",
    "messages",
    "moment",
    "moment_in",
    "people",
    "reason_short",
    "reason_words",
    "status_words",
]

LANE_WORDS: Mapping[Lane, Promise] = {
    Lane.SESSION: _("Free text"),
    Lane.TEMPLATE: _("Template"),
    Lane.SMS: _("SMS"),
    Lane.HELD: _("Held back"),
    Lane.SKIPPED: _("Skipped"),
    Lane.EXPIRED: _("Expired"),
}
REMOVAL_WORDS: Mapping[str, Promise] = {
    AudienceRemoval.Reason.DUPLICATE: _("already in another list"),
    AudienceRemoval.Reason.EXCLUDED: _("in an excluded list"),
}
ACT_WORDS: Mapping[str, Promise] = {
    "campaign.created": _("made the draft"),
    "campaign.cloned": _("made the draft from another campaign"),
    "campaign.retried": _("made the draft to try again"),
    "campaign.edited": _("changed the draft"),
    "campaign.submitted": _("asked for approval"),
    "campaign.noted": _("added a word for the approver"),
    "campaign.withdrawn": _("took it back to draft"),
    "campaign.approved": _("approved it"),
    "campaign.returned": _("returned it"),
    "campaign.launched": _("started it"),
    "campaign.scheduled": _("scheduled it"),
    "campaign.started": _("began to send"),
    "campaign.paused": _("paused it"),
    "campaign.resumed": _("resumed it"),
    "campaign.cancelled": _("cancelled it"),
    "campaign.exported": _("exported its people"),
    "campaign.finished": _("finished"),
    "campaign.sealed": _("finished the flight plan"),
    "conversation.meant_to_stop": _("read it as a wish to stop"),
    "conversation.did_not_mean_stop": _("read it as no wish to stop"),
    "campaign.tested": _("sent a test"),
    "message.kept_waiting": _("looked at it and kept waiting"),
    "message.treated_as_sent": _("treated an unknown message as sent"),
    "message.treated_as_not_sent": _("decided that an unknown message never arrived"),
    "message.tried_again": _("had a stuck message tried again"),
    "message.given_up": _("gave a stuck message up"),
    "message.sent_again": _("sent an unknown message again"),
    "apiclient.created": _("added the client"),
    "apiclient.changed": _("changed settings"),
    "apiclient.taken_over": _("took it over"),
    "apiclient.key_added": _("made a key"),
    "apiclient.key_revoked": _("revoked a key"),
    "apiclient.disabled": _("disabled it"),
    "apiclient.enabled": _("enabled it again"),
    "doorclient.created": _("added the client"),
    "doorclient.changed": _("changed settings"),
    "doorclient.key_added": _("made a pair of key and secret"),
    "doorclient.key_revoked": _("revoked a pair"),
    "doorclient.disabled": _("disabled it"),
    "doorclient.enabled": _("enabled it again"),
    "doorclient.let_pass": _("It let pass what the rule would have stopped"),
    "webhook.created": _("added the endpoint"),
    "webhook.changed": _("changed settings"),
    "webhook.secret_rotated": _("made a new secret"),
    "webhook.paused": _("paused it"),
    "webhook.resumed": _("resumed it"),
    "webhook.disabled": _("disabled it"),
    "webhook.replayed": _("sent events again"),
}

FLAG_WORDS: Mapping[str, Promise] = {
    "ambiguous_ref": _("Its reference belongs to more than one request."),
    "ambiguous_number": _("It fits more than one request."),
    "fits_no_request": _("It fits no request of ours."),
    "number_not_in_request": _("Its number was not in the request that it names."),
    "no_number": _("It names no number."),
    "not_submitted": _("The message that it names had not left."),
    "number_beats_index": _("Its number and its position name different people; the number was believed."),
}


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
    """A span in at most two units, without a second one that is nought: 3 h 12 min, 4 min, 2 d."""
    minutes = max(0, int(span.total_seconds()) // 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days and not hours:
        return _now("%s d") % days
    if days:
        return _now("%(days)d d %(hours)d h") % {"days": days, "hours": hours}
    if hours and not rest:
        return _now("%s h") % hours
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


def dn_words(code: str) -> str:
    """What a DN's error code means; empty where it names no error."""
    found = dn_code(code)
    return str(found.words) if found else ""


def code_words(message: Message) -> str:
    """What the code of a message's end means: the answer's if it was refused, else its last DN's."""
    if message.send_state == SendState.REFUSED:
        return str(answer_code(message.error_code).words)
    return dn_words(message.error_code)

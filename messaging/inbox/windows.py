"""The session window of a conversation, in values and in words."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from messaging.models import Conversation
from messaging.policy import session_open, window_ends_at
from messaging.statuses import Channel


@dataclass(frozen=True, slots=True)
class Window:
    """Whether free text may leave; it counts as closed the connection's safety margin before `ends_at`."""

    open: bool
    ends_at: datetime | None
    last_mo_at: datetime | None
    words: str | Promise


def window_of(conversation: Conversation, now: datetime) -> Window:
    """What may be sent in this conversation at `now`. SMS has no window."""
    last_mo_at = conversation.last_mo_at
    if conversation.channel == Channel.SMS:
        return Window(True, None, last_mo_at, _("An SMS may be sent at any time."))
    margin = timedelta(seconds=conversation.connection.window_margin_s)
    ends_at = window_ends_at(last_mo_at)
    is_open = session_open(last_mo_at, now, margin)
    return Window(is_open, ends_at, last_mo_at, _words(is_open, ends_at))


def _words(is_open: bool, ends_at: datetime | None) -> str:
    if ends_at is None:
        return _("They have not written yet: only an approved template may be sent.")
    if is_open:
        return _("Anything may be sent until %(at)s.") % {"at": shown(ends_at)}
    return _("Their 24 hours ended on %(at)s: only an approved template may be sent.") % {"at": shown(ends_at)}


def shown(at: datetime) -> str:
    """A moment in the reader's language and zone, as the pages write it: Sun 22 Nov 22:02."""
    return date_format(timezone.localtime(at), "D j M H:i")

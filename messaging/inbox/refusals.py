"""Why a reply cannot leave, in words, and what can be done instead."""

from __future__ import annotations

from django.utils.translation import gettext as _

from messaging.errors import Stale
from messaging.facts import Prepared
from messaging.inbox.windows import shown
from messaging.models import Message
from messaging.policy import Reason, Verdict
from messaging.reasons import reason_words
from messaging.singles import MessageRefused
from messaging.statuses import Channel


class StaleConversation(Stale):
    """Somebody wrote in it meanwhile; `detail["version"]` is the one to confirm."""

    code = "stale_conversation"


class ReplyRefused(MessageRefused):
    """The rule says no; nothing is queued and the text is still the caller's.

    `choices` are what would work: template, sms, hold (until they write).
    """

    def __init__(self, verdict: Verdict, words: str, choices: list[str]) -> None:
        super().__init__(verdict, words, reason=verdict.reason, choices=choices)
        self.choices = choices


def refusal(message: Message, prepared: Prepared, verdict: Verdict) -> ReplyRefused:
    """The refusal of a message that its verdict does not let leave."""
    return ReplyRefused(verdict, _words(verdict, prepared), _choices(message, prepared, verdict))


def _words(verdict: Verdict, prepared: Prepared) -> str:
    if verdict.reason == Reason.WINDOW_CLOSED and verdict.window_ends_at:
        return _("Their 24 hours end on %(at)s, so free text cannot be sent any more.") % {
            "at": shown(verdict.window_ends_at)
        }
    if verdict.reason == Reason.WINDOW_CLOSED:
        return _("They have not written to us on WhatsApp yet, so free text cannot be sent.")
    if verdict.reason == Reason.OPTED_OUT:
        since = min(prepared.facts.opted_out.values())
        return _("They opted out on %(at)s and have not written since.") % {"at": shown(since)}
    return reason_words(verdict.reason)


def _choices(message: Message, prepared: Prepared, verdict: Verdict) -> list[str]:
    """What else could carry these words. The rule is asked again when it is tried."""
    facts = prepared.facts
    blocked = {channel for channel in Channel if channel in facts.opted_out or channel in facts.bad}
    choices = []
    if Channel.WHATSAPP not in blocked and verdict.reason == Reason.WINDOW_CLOSED:
        choices.append("template")
    if Channel.SMS not in blocked and facts.has_number and message.channel == Channel.WHATSAPP and message.body:
        choices.append("sms")
    if verdict.reason == Reason.WINDOW_CLOSED and message.body:
        choices.append("hold")
    return choices

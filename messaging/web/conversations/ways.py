"""Which ways an answer may take, and what is said where an opt-out shuts some of them or all."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from messaging import inbox
from messaging.inbox import ConversationRow, OptOut
from messaging.models import Conversation
from messaging.statuses import Channel
from messaging.web.frame.words import moment

CARRIED_BY = {"template": Channel.WHATSAPP, "sms": Channel.SMS, "hold": Channel.WHATSAPP}


@dataclass(frozen=True, slots=True)
class Ways:
    """What no opt-out shuts: whether the conversation's own channel is open, and the `choices` beside the box."""

    channel: Channel
    opt_out: OptOut
    choices: Sequence[str] = ()

    @property
    def shut(self) -> bool:
        return self.channel in self.opt_out.since

    @property
    def none(self) -> bool:
        return self.shut and not self.choices

    @property
    def chip(self) -> str:
        """What stands in place of the window; empty where its channel is open."""
        if not self.shut:
            return ""
        return _("Opted out") if self.opt_out.of_all else _("Opted out of %(channel)s") % {"channel": self._name}

    @property
    def told(self) -> str:
        """Since when it is shut, and what would open it; empty where its channel is open."""
        if not self.shut:
            return ""
        named = {"at": moment(self.opt_out.since[self.channel]), "channel": self._name}
        if self.opt_out.of_all:
            said = [_("They opted out on %(at)s and have not written since.") % named]
            said += [_("Nothing can be sent to them until they write here again.")]
            said += [_("Once they write START, everything may be sent again.")] * self.opt_out.lifted_by_start
        else:
            said = [_("They opted out of %(channel)s on %(at)s and have not written since.") % named]
            otherwise = _("What you write can go as an SMS.")
            said += [otherwise if self.choices else _("Nothing can be sent here until they write again.")]
        return " ".join(said)

    @property
    def _name(self) -> str:
        return "SMS" if self.channel is Channel.SMS else "WhatsApp"


def ways(conversation: Conversation, wanted: Sequence[str]) -> Ways:
    """Of the ways that are `wanted`, those left; where WhatsApp alone is shut, an SMS may be one."""
    found = Ways(Channel(conversation.channel), opt_out_of(conversation))
    if found.shut and found.channel is Channel.WHATSAPP:
        wanted = closed_choices(conversation)
    return Ways(found.channel, found.opt_out, [way for way in wanted if CARRIED_BY[way] not in found.opt_out.since])


def closed_choices(conversation: Conversation) -> list[str]:
    """What stands beside the box while free text cannot go; the server is asked again at sending."""
    contact = conversation.contact
    return ["template", *(["sms"] if contact.msisdn and not contact.sms_bad_at else []), "hold"]


def chip_of(row: ConversationRow) -> str:
    """Of a row of the inbox, what stands in place of its window."""
    return Ways(Channel(row.conversation.channel), row.opt_out).chip


def opt_out_of(conversation: Conversation) -> OptOut:
    return inbox.opt_outs([conversation])[conversation.pk]

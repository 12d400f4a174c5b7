"""What somebody opted out of, in the words that answer “May we write?”."""

from collections.abc import Iterable, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from contacts.models import ALL, ConsentEvent, Contact, Purpose, Suppression
from messaging.web.contacts.forms import CHANNELS, PURPOSES

STOPPED: Mapping[tuple[str, str], Promise] = {
    (ALL, ALL): _("No: opted out of everything"),
    ("whatsapp", ALL): _("Not on WhatsApp: opted out of it"),
    ("sms", ALL): _("Not by SMS: opted out of it"),
    (ALL, Purpose.MARKETING): _("No marketing: opted out of it"),
    ("whatsapp", Purpose.MARKETING): _("No marketing on WhatsApp: opted out of it"),
    ("sms", Purpose.MARKETING): _("No marketing by SMS: opted out of it"),
    (ALL, Purpose.SERVICE): _("No service messages: opted out of them"),
    ("whatsapp", Purpose.SERVICE): _("No service messages on WhatsApp: opted out of them"),
    ("sms", Purpose.SERVICE): _("No service messages by SMS: opted out of them"),
}


def scope_words(row: ConsentEvent | Suppression) -> str:
    """“Every channel: Everything” …"""
    channel, purpose = dict(CHANNELS).get(row.channel, row.channel), dict(PURPOSES).get(row.purpose, row.purpose)
    return f"{channel}: {purpose}"


def stopped_short(rows: Iterable[Suppression]) -> str:
    """All of somebody's suppressions in a badge: “Opted out” is said of everything only."""
    scopes = {(row.channel, row.purpose) for row in rows}
    channels, purposes = {channel for channel, _purpose in scopes}, {purpose for _channel, purpose in scopes}
    if (ALL, ALL) in scopes or {("whatsapp", ALL), ("sms", ALL)} <= scopes:
        return _now("Opted out")
    if purposes == {Purpose.MARKETING}:
        return _now("No marketing")
    if len(channels) == 1 and ALL not in channels:
        return _now("Opted out of %s") % dict(CHANNELS).get(*channels, *channels)
    return _now("Opted out in part")


def stopped_words(row: Suppression) -> str:
    """“No: opted out of everything” …; what only other systems can set is named by its scope."""
    said = STOPPED.get((row.channel, row.purpose))
    return str(said) if said else _now("Opted out of: %s") % scope_words(row)


def bad_words(person: Contact) -> list[str]:
    """Where a delivery notification said that their number does not work."""
    return [
        *([_now("Number does not work on WhatsApp")] if person.whatsapp_bad_at else []),
        *([_now("Number does not work for SMS")] if person.sms_bad_at else []),
    ]

"""What keeps a draft from being submitted."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from messaging import text
from messaging.models import Campaign, TemplateVersion
from messaging.reasons import WORDS_OF_ITS_OWN


def problems(campaign: Campaign) -> list[str]:
    """What must be mended before this draft can be submitted, in the user's words."""
    found: list[str | Promise] = []
    if not any((campaign.session_text, campaign.template_version_id, campaign.sms_text)):
        found.append(_("Write a text for at least one way of sending."))
    for label, body in ((_("Free text"), campaign.session_text), (_("SMS text"), campaign.sms_text)):
        flaws = [*text.find_forbidden(body), *text.find_malformed(body)]
        found += [
            _("%(text)s: “%(found)s” is not possible here.") % {"text": label, "found": flaw.found} for flaw in flaws
        ]
        if body and not text.has_own_words(body):
            found.append(_("%(text)s: %(problem)s") % {"text": label, "problem": WORDS_OF_ITS_OWN})
    version = campaign.template_version
    if version and (version.state != TemplateVersion.State.APPROVED or version.template.retired_at):
        found.append(_("The template is not approved."))
    if not campaign.audience.filter(excluded=False).exists():
        found.append(_("Choose at least one list of people."))
    if campaign.until_reply and not campaign.session_text:
        found.append(_("Holding back until they write needs a free text."))
    if campaign.not_after and campaign.send_at and campaign.not_after <= campaign.send_at:
        found.append(_("“Not after” lies before the send time."))
    if not is_zone(campaign.time_zone):
        found.append(_("There is no time zone “%s”.") % campaign.time_zone)
    return [str(problem) for problem in found]


def is_zone(name: str) -> bool:
    """Whether this names a time zone."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown, a path, a folder
        return False
    return True

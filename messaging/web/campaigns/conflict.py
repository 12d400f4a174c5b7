"""What somebody else saved in a draft while it was being edited here."""

from dataclasses import dataclass

from django.utils.translation import gettext as _

from messaging.models import Campaign
from messaging.web.campaigns.forms import CampaignForm

COMPARED = ("name", "session_text", "sms_text", "template_version", "send_at", "not_after", "purpose", "connection")


@dataclass(frozen=True, slots=True)
class Difference:
    """A field that somebody else saved otherwise than it stands in this form."""

    label: str
    theirs: str
    yours: str


def differences(campaign: Campaign, form: CampaignForm) -> list[Difference]:
    """What stands otherwise in the database than in this form."""
    theirs = CampaignForm(campaign=campaign)
    found = []
    for name in COMPARED:
        stored, typed = theirs[name].initial, form.cleaned_data.get(name)
        typed = getattr(typed, "pk", typed)
        if name in ("send_at", "not_after") and typed:
            typed = typed.replace(tzinfo=None)
        if (stored or "") != (typed or ""):
            found.append(Difference(str(form[name].label), _shown(theirs, name, stored), _shown(form, name, typed)))
    return found


def _shown(form: CampaignForm, name: str, value: object) -> str:
    if value in (None, ""):
        return _("(empty)")
    field = form.fields[name]
    for key, label in getattr(field, "choices", ()):
        if str(getattr(key, "value", key)) == str(value):
            return str(label)
    return str(value)

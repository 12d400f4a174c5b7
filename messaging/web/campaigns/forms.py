"""The forms of a campaign: its draft, and the words that go with a decision."""

from datetime import datetime
from typing import Any, cast
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from contacts.models import ContactList, Purpose
from messaging.campaigns import NOTE_LIMIT
from messaging.models import Campaign, Connection, TemplateVersion
from messaging.text import normalize_body

MOMENT_FORMAT = "%Y-%m-%dT%H:%M"  # what <input type="datetime-local"> speaks
CHECK = {"class": "form-check-input"}
CAMPAIGN_PURPOSES = [choice for choice in Purpose.choices if choice[0] in (Purpose.SERVICE, Purpose.MARKETING)]


class BodyField(forms.CharField):
    """A text as it will be approved: a textarea's CRLF and trailing blanks are gone."""

    widget = forms.Textarea

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(strip=False, required=False, **kwargs)

    def clean(self, value: str | None) -> str:
        return super().clean(normalize_body(value or ""))


class MomentField(forms.DateTimeField):
    """A date and time on the clock of the form's zone (CampaignForm activates it)."""

    def __init__(self, **kwargs: Any) -> None:
        widget = forms.DateTimeInput({"type": "datetime-local"}, format=MOMENT_FORMAT)
        super().__init__(widget=widget, required=False, **kwargs)


def _clock(**kwargs: Any) -> forms.TimeField:
    return forms.TimeField(widget=forms.TimeInput({"type": "time"}, format="%H:%M"), required=False, **kwargs)


class NewCampaignForm(forms.Form):
    """What a campaign must have from its first moment."""

    name = forms.CharField(label=_("Name"), max_length=120, help_text=_("For you and your colleagues alone."))
    connection = forms.ModelChoiceField(Connection.objects.all(), label=_("Connection"), empty_label=None)
    purpose = forms.ChoiceField(label=_("Purpose"), choices=CAMPAIGN_PURPOSES, widget=forms.RadioSelect(CHECK))


class CampaignForm(NewCampaignForm):
    """The whole draft. `version` is the one that the editor saw; the service refuses an older one."""

    version = forms.IntegerField(widget=forms.HiddenInput)
    include = forms.ModelMultipleChoiceField(ContactList.objects.all(), label=_("Send to"), required=False)
    exclude = forms.ModelMultipleChoiceField(ContactList.objects.all(), label=_("Leave out"), required=False)
    session_text = BodyField(label=_("Free text"), max_length=4096)
    template_version = forms.ModelChoiceField(
        TemplateVersion.objects.none(), label=_("Template"), required=False, empty_label=_("No template")
    )
    sms_text = BodyField(label=_("SMS text"), max_length=960)
    send_at = MomentField(label=_("Send at"))
    not_after = MomentField(label=_("Not after"))
    until_reply = forms.BooleanField(
        label=_("Hold the free text back until they write"),
        help_text=_(
            "Whoever neither template nor SMS reaches waits instead of being skipped: as soon as they write to us, "
            "within “not after”, the free text leaves."
        ),
        required=False,
    )
    quiet_from = _clock(label=_("Quiet from"))
    quiet_to = _clock(label=_("Quiet until"))
    time_zone = forms.CharField(label=_("Time zone"), max_length=64)

    def __init__(self, *args: Any, campaign: Campaign, **kwargs: Any) -> None:
        kwargs.setdefault("initial", stored(campaign))
        super().__init__(*args, **kwargs)
        self.campaign = campaign
        versions = cast(forms.ModelChoiceField, self.fields["template_version"])
        versions.queryset = choosable_versions(campaign)

    def full_clean(self) -> None:
        with timezone.override(self._zone()):
            super().full_clean()

    def _zone(self) -> ZoneInfo:
        try:
            return ZoneInfo(self.data.get("time_zone") or self.campaign.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            return ZoneInfo(self.campaign.time_zone)

    def clean_time_zone(self) -> str:
        name = self.cleaned_data["time_zone"]
        if self._zone().key != name:
            raise forms.ValidationError(_("There is no time zone of this name; one is Asia/Kuala_Lumpur."))
        return name

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        both = set(cleaned.get("include") or ()) & set(cleaned.get("exclude") or ())
        if both:
            names = ", ".join(sorted(str(one) for one in both))
            self.add_error("exclude", _("A list is either sent to or left out: %s") % names)
        if bool(cleaned.get("quiet_from")) != bool(cleaned.get("quiet_to")):
            self.add_error("quiet_from", _("Quiet hours need both a beginning and an end."))
        if cleaned.get("quiet_from") and cleaned.get("quiet_from") == cleaned.get("quiet_to"):
            self.add_error("quiet_from", _("Quiet hours that begin and end together would never end."))
        if cleaned.get("send_at") and cleaned.get("not_after") and cleaned["not_after"] <= cleaned["send_at"]:
            self.add_error("not_after", _("This is before the time to send."))
        return cleaned

    def changes(self) -> dict[str, Any]:
        """What campaigns.edit_campaign takes."""
        lists = {name: list(self.cleaned_data[name]) for name in ("include", "exclude")}
        return self.cleaned_data | lists


PLAIN = (
    "name", "purpose", "session_text", "sms_text", "until_reply", "quiet_from", "quiet_to", "time_zone", "version",
)  # fmt: skip


def stored(campaign: Campaign) -> dict[str, Any]:
    """The draft as the form shows it; times on the campaign's own clock."""
    rows = list(campaign.audience.all())
    zone = ZoneInfo(campaign.time_zone)
    return {name: getattr(campaign, name) for name in PLAIN} | {
        "connection": campaign.connection_id,
        "template_version": campaign.template_version_id,
        "include": [row.contact_list_id for row in rows if not row.excluded],
        "exclude": [row.contact_list_id for row in rows if row.excluded],
        "send_at": on_clock(campaign.send_at, zone),
        "not_after": on_clock(campaign.not_after, zone),
    }


def on_clock(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    """The wall-clock time in a zone, naive, as a datetime-local input wants it."""
    return at and at.astimezone(zone).replace(tzinfo=None)


def choosable_versions(campaign: Campaign) -> QuerySet[TemplateVersion]:
    """Approved versions, and the one already chosen even if it has been retired since (the page says so)."""
    approved = Q(pk__in=TemplateVersion.objects.approved().values("pk"))
    return (
        TemplateVersion.objects.filter(approved | Q(pk=campaign.template_version_id))
        .select_related("template")
        .order_by("template__name", "-number")
    )


class NoteForm(forms.Form):
    """A word to whoever approves a campaign."""

    note = forms.CharField(
        label=_("A word to whoever approves it"), widget=forms.Textarea({"rows": 3}), max_length=NOTE_LIMIT
    )


class ReasonForm(forms.Form):
    """Why something is sent back."""

    reason = forms.CharField(label=_("What should be different?"), widget=forms.Textarea({"rows": 3}), max_length=2000)

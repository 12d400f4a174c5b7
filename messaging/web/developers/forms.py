"""What one writes about another system. What is wrong with it the services say, field by field."""

from __future__ import annotations

from datetime import datetime, time
from typing import Any

from django import forms
from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from messaging import webhooks
from messaging.errors import Refused
from messaging.models import ApiClient, Connection, DoorClient, EventType, Scope, WebhookEndpoint
from messaging.staff import staff_name
from messaging.web.frame.fields import PeersField

Format = WebhookEndpoint.Format
LIVE, TEST = "live", "test"


class LastDayField(forms.DateField):
    """A day of the reader's calendar; cleaned, the moment at which it ends."""

    widget = forms.DateInput(attrs={"type": "date"})

    def clean(self, value: Any) -> datetime | None:
        day = super().clean(value)
        if day is None:
            return None
        if day < timezone.localdate():
            raise ValidationError(_("That day is over."))
        return timezone.make_aware(datetime.combine(day, time.max))


class UrlField(forms.CharField):
    """Where another system listens."""

    def __init__(self, **kwargs: Any) -> None:
        attrs = {"class": "mono", "spellcheck": "false", "placeholder": "https://"}
        super().__init__(widget=forms.URLInput(attrs=attrs), max_length=500, **kwargs)


class _OwnerField(forms.ModelChoiceField):
    def label_from_instance(self, user: User) -> str:
        return staff_name(user)


class SystemForm(forms.ModelForm):
    """Of a client or an endpoint, new or known. The instance stays as it is: a service changes the locked row."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = bool(self.instance.pk)
        if "owner" in self.fields:
            self.fields["owner"] = _OwnerField(
                User.objects.filter(is_active=True).order_by("username"),
                label=_("Owner"),
                help_text=_("Answers for what it does, and is told when something stops."),
            )

    def _post_clean(self) -> None:
        """Nothing: see the class."""

    def check_address(self, name: str) -> str:
        """A URL that is new is looked up, so that what is wrong with it is said at its field."""
        url: str = self.cleaned_data[name]
        if url and name in self.changed_data:
            try:
                webhooks.check_url(url)
            except Refused as refusal:
                raise ValidationError(str(refusal.words)) from refusal
        return url


class ApiClientForm(SystemForm):
    """A system that uses the REST API; a new one says when its first key ends."""

    live = forms.TypedChoiceField(
        label=_("Live or test"),
        choices=[(LIVE, _("Live: reaches real phones")), (TEST, _("Test: reaches sandbox connections alone"))],
        coerce=lambda chosen: chosen == LIVE,
        initial=LIVE,
        widget=forms.RadioSelect,
        help_text=_("It stays so: make another client for the other."),
    )
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"),
        choices=Scope.choices,
        initial=[Scope.SEND, Scope.READ],
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Never more than its owner may. Nothing of this approves anything: that takes a person."),
    )
    allowed_peers = PeersField(
        label=_("Addresses that may call"), help_text=_("One a line, e.g. 203.0.113.0/24. Empty: any address.")
    )
    expires_at = LastDayField(
        label=_("Last day of the first key"), required=False, help_text=_("Empty: until it is revoked.")
    )

    class Meta:
        model = ApiClient
        fields = ("name", "live", "scopes", "allowed_peers", "rate_per_minute")
        help_texts = {"name": _("What people call the other system.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.known:
            del self.fields["live"], self.fields["expires_at"]
        elif not Connection.objects.exclude(kind=Connection.Kind.SANDBOX).exists():
            self.fields["live"].initial = TEST
            self.fields["live"].help_text = _("There is no connection to real phones yet: either reaches the sandbox.")


class KeyForm(forms.Form):
    expires_at = LastDayField(label=_("Last day"), required=False, help_text=_("Empty: until it is revoked."))


class DoorClientForm(SystemForm):
    """A system that was written for the provider, and where it is told of DNs and MOs."""

    dn_url = UrlField(
        label=_("URL for delivery notifications"),
        required=False,
        help_text=_("Its DN URL, as the provider calls it. Empty: nowhere."),
    )
    mo_url = UrlField(
        label=_("URL for incoming messages"),
        required=False,
        help_text=_("Its MO URL: all that comes in through its connection. Empty: nowhere."),
    )
    allowed_peers = PeersField(
        label=_("Addresses that may call"),
        help_text=_("One a line, e.g. 203.0.113.7/32. At least one: its secret may travel in a URL."),
        required=True,
    )

    class Meta:
        model = DoorClient
        fields = ("name", "connection", "mode", "purpose", "owner", "allowed_peers", "repeat_guard_s")
        widgets = {"mode": forms.RadioSelect}
        labels = {"repeat_guard_s": _("Repeat guard, in seconds")}
        help_texts = {
            "name": _("What people call the other system."),
            "mode": _("No mode skips opt-outs, erased people, or the state of the connection."),
            "repeat_guard_s": _(
                "The same call again within this time counts as one. Empty: never, as the provider does."
            ),
        }

    URLS = {Format.DOOR_DN: "dn_url", Format.DOOR_MO: "mo_url"}

    def clean_dn_url(self) -> str:
        return self.check_address("dn_url")

    def clean_mo_url(self) -> str:
        return self.check_address("mo_url")

    @property
    def settings(self) -> dict[str, Any]:
        """The answers as the service of the client takes them."""
        return {name: value for name, value in self.cleaned_data.items() if name not in self.URLS.values()}

    @property
    def urls(self) -> dict[str, str]:
        """The answers as the service of its endpoints takes them."""
        return {shape: self.cleaned_data[name] for shape, name in self.URLS.items()}


class EndpointForm(SystemForm):
    """A receiver of events."""

    url = UrlField(label=_("URL"), help_text=_("Events are posted there, signed. It must begin with https://."))
    event_types = forms.MultipleChoiceField(
        label=_("Events"), choices=EventType.choices, widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = WebhookEndpoint
        fields = ("url", "description", "event_types")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if settings.WEBHOOKS_ALLOW_HTTP:
            self.fields["url"].help_text = _("Events are posted there, signed. It must begin with https:// or http://.")
        if self.instance.format != Format.STANDARD:
            del self.fields["event_types"]

    def clean_url(self) -> str:
        return self.check_address("url")


class StretchForm(forms.Form):
    """What happened from one time to before another."""

    since = forms.DateTimeField(
        label=_("From"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text=format_lazy(_("By the clock of {zone}."), zone=settings.TIME_ZONE),
    )
    until = forms.DateTimeField(
        label=_("Until just before"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"})
    )
    failed_only = forms.BooleanField(label=_("Only what was given up"), required=False, initial=True)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and cleaned["since"] >= cleaned["until"]:
            raise ValidationError({"until": _("The end must come after the beginning.")})
        return cleaned

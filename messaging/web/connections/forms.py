from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from messaging.models import Connection
from messaging.web.frame.fields import PeersField

SECRET = {"autocomplete": "new-password", "spellcheck": "false"}


class ConnectionForm(forms.ModelForm):
    """An account at a provider. What is wrong with it is said by the service, field by field."""

    app_secret = forms.CharField(
        label="APP_SECRET",
        required=False,
        widget=forms.PasswordInput(attrs=SECRET, render_value=False),
        help_text=_("Kept encrypted and never shown again."),
    )
    allowed_peers = PeersField(
        label=_("Addresses that may call the hooks"),
        help_text=_("One a line, e.g. 203.0.113.0/24. Empty: every address that knows the URL."),
    )

    ACCOUNT = ("name", "kind", "base_url", "app_key", "app_secret", "sender_id")
    LIMITS = ("rate_per_s", "max_in_flight", "recipients_per_request", "window_margin_s", "daily_cap")
    RULES = ("marketing_in_templates", "marketing_needs_opt_in")
    DETAILS = ("send_path", "balance_path", "time_zone", "mo_fields", "allowed_peers", "literal_last_dn")

    class Meta:
        model = Connection
        fields = (
            "name", "kind", "base_url", "app_key", "sender_id",
            "rate_per_s", "max_in_flight", "recipients_per_request", "window_margin_s", "daily_cap",
            "marketing_in_templates", "marketing_needs_opt_in",
            "send_path", "balance_path", "time_zone", "mo_fields", "allowed_peers", "literal_last_dn",
        )  # fmt: skip
        help_texts = {
            "kind": _("The sandbox is the provider's twin for practice: nothing reaches a real phone."),
            "sender_id": _("At most 11 letters and digits; used for SMS alone."),
            "rate_per_s": _("Over all workers, never exceeded in any second."),
            "max_in_flight": _("What a crash can leave unknown is at most so many requests a worker."),
            "window_margin_s": _("Free text stops so long before the 24 hours end."),
            "daily_cap": _("Empty: no limit."),
            "mo_fields": _("A JSON object; empty: what most providers call them."),
            "literal_last_dn": _("Off: SENT is history once DELIVERED or UNDELIVERED has come."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = bool(self.instance.pk)
        self.fields["mo_fields"].widget.attrs |= {"rows": 3, "class": "mono"}
        self.fields["app_key"].widget.attrs |= {"autocomplete": "off", "spellcheck": "false"}
        self.fields["app_secret"].required = not self.known
        if self.known:
            del self.fields["kind"]
            self.fields["app_secret"].help_text = _("Leave it empty to keep the stored one. It is never shown again.")

    def _post_clean(self) -> None:
        """The instance stays as it is: the service checks and changes the locked row."""

    def groups(self) -> list[tuple[Any, list[forms.BoundField], bool]]:
        """(heading, fields, folded) in the order of the page."""
        named = (
            (_("Account"), self.ACCOUNT, False),
            (_("Limits"), self.LIMITS, False),
            (_("Rules"), self.RULES, False),
            (_("Details that rarely change"), self.DETAILS, True),
        )
        return [
            (words, [self[name] for name in names if name in self.fields],
             folded and not any(name in self.errors for name in names))
            for words, names, folded in named
        ]  # fmt: skip

    @property
    def settings(self) -> dict[str, Any]:
        """The answers as the services take them."""
        return dict(self.cleaned_data)

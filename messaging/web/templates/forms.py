from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from contacts.models import Purpose
from messaging.approval import body_problems, unfit_samples
from messaging.models import Template
from messaging.text import normalize_body, normalize_value, placeholders, storable

LANGUAGES = [("en", _("English")), ("ms", _("Malay")), ("zh", _("Chinese")), ("ta", _("Tamil"))]
PURPOSES = [(purpose.value, purpose.label) for purpose in Purpose if purpose is not Purpose.OPT_OUT_CONFIRMATION]
TYPING = {"rows": 10, "dir": "auto", "class": "form-control--tall", "spellcheck": "true"}


class TemplateForm(forms.Form):
    """A template's draft, with a box for the sample of each placeholder that its text has."""

    name = forms.CharField(label=_("Name"), max_length=120, help_text=_("For staff only; nobody outside sees it."))
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES)
    purpose = forms.ChoiceField(label=_("Purpose"), choices=PURPOSES)
    body = forms.CharField(
        label=_("Text"),
        help_text=_(
            "Write {{name}} where the person's name goes. The text must equal the one that the provider approves."
        ),
        widget=forms.Textarea(attrs=TYPING),
        strip=False,
    )

    def __init__(self, data: Any = None, *, template: Template | None = None, asking: bool = False) -> None:
        """`asking`: it goes to review at once, so that what review needs is asked for here."""
        self.asking = asking
        initial = {}
        if template:
            initial = {key: getattr(template, key) for key in ("name", "language", "purpose", "body")}
        super().__init__(data, initial=initial)
        samples = template.samples if template else {}
        for name in placeholders(normalize_body(str(self["body"].value() or ""))):
            self.fields[f"sample_{name}"] = forms.CharField(
                label=f"{{{{{name}}}}}", required=False, max_length=1024, initial=samples.get(name, "")
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        body = normalize_body(cleaned.get("body", ""))
        if body:
            for problem in body_problems(body):
                self.add_error("body", problem)
            wrong = unfit_samples(body, self.samples) if self.asking else {}
            for name, problem in wrong.items():
                self.add_error(f"sample_{name}", problem)
        return cleaned

    def sample_fields(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("sample_")]

    @property
    def samples(self) -> dict[str, str]:
        """As they are stored."""
        typed = {bound.name.removeprefix("sample_"): str(bound.value() or "") for bound in self.sample_fields()}
        return {name: normalize_value(storable(sample)) for name, sample in typed.items()}

    @property
    def draft(self) -> dict[str, Any]:
        """The answers as `save_template` takes them."""
        return {key: self.cleaned_data[key] for key in ("name", "language", "purpose", "body")} | {
            "samples": self.samples
        }


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("What should be different?"),
        max_length=2000,
        help_text=_("The writer reads this in the template's story."),
        widget=forms.Textarea(attrs={"rows": 4, "data-key": "r"}),
    )


class EvidenceForm(forms.Form):
    evidence = forms.CharField(
        label=_("How do you know?"),
        max_length=1000,
        help_text=_("E.g. “Approved in the provider's portal on 3 March, screenshot in the shared folder”."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )

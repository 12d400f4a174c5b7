from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from contacts.imports.choosing import Column
from contacts.imports.headings import LANGUAGE, NAME, NUMBER
from contacts.imports.reader import ENCODINGS
from contacts.models import ALL, Contact, ContactField, ContactList, Purpose
from contacts.numbers import BadNumber, parse_msisdn

LANGUAGES = [
    ("", _("Not known")),
    ("ms", _("Malay")),
    ("en", _("English")),
    ("zh", _("Chinese")),
    ("ta", _("Tamil")),
]
CHANNELS = [(ALL, _("Every channel")), ("whatsapp", "WhatsApp"), ("sms", "SMS")]
PURPOSES = [
    (ALL, _("Everything")),
    (Purpose.MARKETING, _("Marketing only")),
    (Purpose.SERVICE, _("Service messages only")),
]


class NumberField(forms.CharField):
    """A number in any spelling; clean, it is digits."""

    widget = forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"})

    def __init__(self, **kwargs: Any) -> None:
        spellings = _("In any spelling: 012-324 0066, +60 12 324 0066.")
        super().__init__(max_length=64, help_text=spellings, **kwargs)

    def clean(self, value: str | None) -> str:
        try:
            return parse_msisdn(super().clean(value))
        except BadNumber as bad:
            raise forms.ValidationError(str(bad.words)) from bad


class PersonForm(forms.Form):
    """A person by hand; there is a box for each field that people can have."""

    number = NumberField(label=_("Number"))
    name = forms.CharField(label=_("Name"), max_length=200, required=False)
    language = forms.ChoiceField(label=_("Language"), choices=LANGUAGES, required=False)

    def __init__(self, *args: Any, contact: Contact | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        own = contact.fields if contact else {}
        if contact:
            del self.fields["number"]
            self.initial = {"name": contact.name, "language": contact.language}
            self._offer_language(contact.language)
        for field in ContactField.objects.all():
            self.fields[f"field_{field.key}"] = forms.CharField(
                label=field.label, required=False, max_length=1024, initial=own.get(field.key, "")
            )

    def _offer_language(self, language: str) -> None:
        if language not in dict(LANGUAGES):
            self.fields["language"].choices = [*LANGUAGES, (language, language)]  # type: ignore[attr-defined]

    @property
    def person(self) -> dict[str, Any]:
        """The answers as the directory's services take them."""
        values = self.cleaned_data
        own = {name.removeprefix("field_"): value for name, value in values.items() if name.startswith("field_")}
        return {"name": values["name"], "language": values["language"], "fields": own}


class ConsentForm(forms.Form):
    words = forms.CharField(
        label=_("What they said, and where"),
        max_length=1000,
        help_text=_("Kept for ever as the evidence, e.g. “Please stop, by phone to Aisyah on 3 March”."),
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    channel = forms.ChoiceField(label=_("Channel"), choices=CHANNELS)
    purpose = forms.ChoiceField(label=_("What for"), choices=PURPOSES)


class ListForm(forms.ModelForm):
    class Meta:
        model = ContactList
        fields = ("name",)


class MembershipForm(forms.Form):
    lists = forms.ModelMultipleChoiceField(
        ContactList.objects.all(), label=_("Lists"), required=False, widget=forms.CheckboxSelectMultiple
    )


class ImportForm(forms.Form):
    file = forms.FileField(
        label=_("CSV file"),
        help_text=_("One line a person. A column with the number is all it needs; every other column becomes a field."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.txt,text/csv"}),
    )
    contact_list = forms.ModelChoiceField(
        ContactList.objects.all(), label=_("Put them into the list"), required=False, empty_label=_("No list")
    )
    new_list = forms.CharField(label=_("Or into a new list called"), max_length=120, required=False)
    encoding = forms.ChoiceField(
        label=_("The file was saved as"),
        choices=[("", _("Find out (UTF-8)")), *ENCODINGS.items()],
        required=False,
    )
    look_first = forms.BooleanField(label=_("Show me the columns before anybody goes in"), required=False)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if cleaned.get("contact_list") and cleaned.get("new_list"):
            self.add_error("new_list", _("Choose one: a list that is there, or a new one."))
        return cleaned

    def chosen_list(self) -> ContactList | None:
        """The list to import into, made if it is new."""
        name = " ".join(self.cleaned_data["new_list"].split())
        return ContactList.objects.get_or_create(name=name)[0] if name else self.cleaned_data["contact_list"]


class ColumnsForm(forms.Form):
    """What each column of a file is; `mapping` is the answer as imports take it."""

    def __init__(self, *args: Any, columns: list[Column], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._titles = {f"column_{place}": column.title for place, column in enumerate(columns)}
        labels = dict(ContactField.objects.values_list("key", "label"))
        for name, column in zip(self._titles, columns, strict=True):
            self.fields[name] = forms.ChoiceField(
                label=column.title, choices=_targets(column, labels), required=False, initial=column.target
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        first: dict[str, str] = {}
        for name, target in list(cleaned.items()):
            if target and target in first:
                self.add_error(name, _("“%s” is taken as this already. Choose one of the two.") % first[target])
            first.setdefault(target, self._titles[name])
        if NUMBER not in first:
            raise forms.ValidationError(_("Choose the column that holds the number."))
        return cleaned

    @property
    def mapping(self) -> dict[str, str]:
        return {self._titles[name]: target for name, target in self.cleaned_data.items() if target}


def _targets(column: Column, labels: dict[str, str]) -> list[Any]:
    """The choices for one column: the number, the name, the language, a field, or nothing."""
    new = column.own_key not in labels
    return [
        (NUMBER, _("The number")),
        (NAME, _("The name")),
        (LANGUAGE, _("The language")),
        *([(column.own_key, _("A new field, “%s”") % column.title)] if new else []),
        *([(_("A field that is there"), list(labels.items()))] if labels else []),
        ("", _("Leave it out")),
    ]

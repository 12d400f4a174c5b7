"""The forms of a conversation: a reply, a reply by template, a note."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from messaging import text
from messaging.errors import Refused
from messaging.facts import load_people
from messaging.models import Conversation, TemplateVersion


class ReplyForm(forms.Form):
    """A reply as it is typed. Nothing is stripped: what a refusal gives back is what was written."""

    text = forms.CharField(label=_("Your reply"), widget=forms.Textarea({"rows": 3}), strip=False, required=False)
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.refused = ""  # why it did not go, in words
        self.choices: list[str] = []  # what would work instead: template, sms, hold
        self.stale_version: int | None = None  # somebody wrote meanwhile: the version to confirm

    def refuse(self, refusal: Refused) -> None:
        """Keep the text and say why it did not leave."""
        self.refused = str(refusal.words)
        self.choices = list(refusal.detail.get("choices", []))
        self.stale_version = refusal.detail.get("version")


class TemplateReplyForm(forms.Form):
    """The values of an approved template's placeholders, as far as known from the person's own fields.

    `version` is the conversation's as the page had it: of two presses the second is refused.
    """

    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, version: TemplateVersion, conversation: Conversation, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.chosen = version
        person = load_people([conversation.contact_id], conversation.connection_id).get(conversation.contact_id)
        known = person.values if person else {}
        self.names = text.placeholders(version.body)
        for name in self.names:
            self.fields[f"v_{name}"] = forms.CharField(
                label=name, initial=known.get(name, ""), max_length=text.VALUE_LIMIT
            )

    @property
    def values(self) -> dict[str, str]:
        """What was typed, or is known, for each placeholder that has something."""
        typed = {name: self[f"v_{name}"].value() or "" for name in self.names}
        return {name: text.normalize_value(value) for name, value in typed.items() if value.strip()}

    @property
    def shown(self) -> str:
        """The text with what is known put in; what is missing stays a placeholder."""
        values = self.values
        return text.PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), self.chosen.body)


class NoteForm(forms.Form):
    """A note for colleagues; it never leaves the house."""

    note = forms.CharField(label=_("Note for colleagues"), widget=forms.Textarea({"rows": 2}), max_length=4000)

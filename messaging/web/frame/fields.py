from typing import Any

from django import forms


class PeersField(forms.CharField):
    """Addresses, one a line, as the list that the model keeps."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(widget=forms.Textarea(attrs={"rows": 3, "class": "mono"}), **{"required": False, **kwargs})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        return super().clean(value).split()

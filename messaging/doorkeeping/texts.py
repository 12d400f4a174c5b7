"""What a client's free text is to us: a rendering of an approved template, or words of its own."""

from __future__ import annotations

from messaging.matcher import best_match
from messaging.models import TemplateVersion
from messaging.text import normalize_body, placeholders


def find_template(text: str) -> tuple[TemplateVersion | None, dict[str, str]]:
    """The approved template that the text is, with the values in it; a text that still has placeholders is none."""
    if placeholders(text):
        return None, {}
    versions = list(TemplateVersion.objects.filter(state=TemplateVersion.State.APPROVED).order_by("pk"))
    found = best_match([version.body for version in versions], normalize_body(text))
    return (versions[found[0]], found[1]) if found else (None, {})


def literal_values(text: str) -> dict[str, str]:
    """Values with which a text renders to itself: a client's `{{name}}` is nobody's name."""
    return {name: f"{{{{{name}}}}}" for name in placeholders(text)}

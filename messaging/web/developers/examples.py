"""Examples to copy and run, filled with this installation's own host and a template that it has approved."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from messaging.models import TemplateVersion

SAMPLES = Path(__file__).parent / "samples"
LANGUAGES = {"curl": "curl", "python": "Python", "php": "PHP"}
HOST = "https://gateway.example.com"  # as the samples have it
NAME, VARIABLES = "order_ready", {"name": "Mei"}
TITLES: Mapping[str, tuple[Promise, Promise]] = {
    "send_template": (
        _("Send a template"),
        _("An approved template may leave at any time. Sending needs a key that may send."),
    ),
    "send_text": (
        _("Send a text"),
        _(
            "To somebody who wrote on WhatsApp within 24 hours; otherwise the answer is 409 and says why. The "
            "Idempotency-Key is new for each message: the same call with the same key sends nothing twice."
        ),
    ),
    "read_message": (
        _("Read what became of it"),
        _("By your own reference, newest first, with every step. Needs a key that may read."),
    ),
    "verify_webhook": (
        _("Check that a webhook comes from here"),
        _("The secret is shown once, when you make an endpoint. Check the bytes as they came, before parsing them."),
    ),
    "call_door": (
        _("Call the door as the provider’s client would"),
        _("For systems that were written for the provider: only host, user and pass change."),
    ),
}


@dataclass(frozen=True)
class Example:
    name: str
    title: str | Promise
    words: str | Promise
    code: str


def examples(language: str) -> list[Example]:
    """All of them in one of LANGUAGES."""
    name, variables = _template()
    return [Example(stem, *TITLES[stem], _filled(language, stem, name, variables)) for stem in TITLES]


def _template() -> tuple[str, dict[str, str]]:
    """The newest template that may be sent, with its sample values; a made-up one if there is none."""
    version = TemplateVersion.objects.approved().select_related("template").order_by("-decided_at", "-pk").first()
    return (version.template.name, version.samples) if version else (NAME, VARIABLES)


def _filled(language: str, stem: str, name: str, variables: Mapping[str, str]) -> str:
    write, write_all = (_php, _php_array) if language == "php" else (_json, _json)
    return (
        (SAMPLES / language / f"{stem}.txt")
        .read_text()
        .replace(HOST, settings.PUBLIC_URL)
        .replace(write(NAME), write(name))
        .replace(write_all(VARIABLES), write_all(variables))
    )


def _json(value: object) -> str:
    """A literal in JSON and in Python alike."""
    return json.dumps(value, ensure_ascii=False)


def _php(text: object) -> str:
    escaped = str(text).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _php_array(values: object) -> str:
    pairs = values.items() if isinstance(values, Mapping) else ()
    return "[" + ", ".join(f"{_php(name)} => {_php(value)}" for name, value in pairs) + "]"

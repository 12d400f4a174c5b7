"""How words that people typed are stored."""

import re
import unicodedata

NEVER_STORED = re.compile(r"[\x00-\x08\x0e-\x1b\x7f\ud800-\udfff]")  # PostgreSQL refuses NUL, UTF-8 lone surrogates


def clean_value(text: str) -> str:
    """NFC, trimmed, every run of white space one blank; empty means that there is no value."""
    return unicodedata.normalize("NFC", " ".join(NEVER_STORED.sub("", text).split()))


def clean_fields(fields: dict[str, str]) -> dict[str, str]:
    """Field values as stored: a blank one is an absent key."""
    cleaned = {key: clean_value(str(value)) for key, value in fields.items()}
    return {key: value for key, value in cleaned.items() if value}

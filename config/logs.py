"""What must never reach a log: credentials, hook tokens, message text, whole phone numbers."""

import re
from typing import Any

SECRET_KEYS = re.compile(r"(pass(word)?|secret|token|authorization|cookie|app_key|text|body)$", re.IGNORECASE)
HOOK_TOKEN = re.compile(r"(/hooks/)[^/\s\"?]+")
API_KEY = re.compile(r"(wg_(?:live|test)_[0-9A-Za-z]{8})_\w+")
MSISDN = re.compile(r"(?<![\w.-])([1-9]\d{3})\d{3,8}(\d{3})(?![\w-])")


def mask_msisdn(text: str) -> str:
    """`60123240066` → `6012****066`: enough to recognise, too little to call."""
    return MSISDN.sub(r"\1****\2", text)


def mask_secrets(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """structlog processor: masks by the key's name and by the value's shape."""
    for key, value in event.items():
        if SECRET_KEYS.search(key):
            event[key] = "***"
        elif isinstance(value, str):
            event[key] = _mask_keys(mask_msisdn(value) if key != "timestamp" else value)
    return event


def _mask_keys(text: str) -> str:
    return API_KEY.sub(r"\1_***", HOOK_TOKEN.sub(r"\1***", text))

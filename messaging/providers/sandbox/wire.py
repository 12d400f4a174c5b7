"""The wire: parameters in every form that public clients send, and answers as the provider writes them."""

import json
import re
from urllib.parse import parse_qsl

from aiohttp import web

from .codes import RESPONSES

FORM = "application/x-www-form-urlencoded"
WHATSAPP_PREFIX = "whatsapp:"
NUMBER = re.compile(r"[0-9]{5,15}", re.ASCII)


async def parameters(request: web.Request) -> dict[str, str]:
    """Query and body merged; of repeated keys the last one counts, as in PHP's $_REQUEST."""
    found = pairs(request.raw_path.partition("?")[2])
    if request.content_type == "multipart/form-data":
        found |= await _multipart(request)
    elif request.content_type == FORM or "Content-Type" not in request.headers:
        found |= pairs((await request.read()).decode("utf-8", "replace"))
    return found


def pairs(encoded: str) -> dict[str, str]:
    """A query or form, also where it was never percent-encoded."""
    clean = encoded.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return dict(parse_qsl(clean, keep_blank_values=True, errors="replace"))


async def _multipart(request: web.Request) -> dict[str, str]:
    try:
        fields = await request.post()
    except ValueError:
        return {}
    return {name: value for name, value in fields.items() if isinstance(value, str)}


def recipients(to: str) -> list[tuple[str, str]] | None:
    """(channel, MSISDN) for each entry of `to`; None if one of them is no number."""
    entries = [_recipient(entry) for entry in to.split(",")]
    return None if None in entries else [entry for entry in entries if entry]


def _recipient(entry: str) -> tuple[str, str] | None:
    number, channel = entry.strip(), "sms"
    if number[: len(WHATSAPP_PREFIX)].lower() == WHATSAPP_PREFIX:
        number, channel = number[len(WHATSAPP_PREFIX) :], "whatsapp"
    number = number.strip().removeprefix("+")  # a `+` in a query arrives as a blank
    return (channel, number) if NUMBER.fullmatch(number) else None


def answer(content: object) -> web.Response:
    """One line of JSON with HTTP 200, whatever it says."""
    body = json.dumps(content, separators=(",", ":")).encode()
    return web.Response(body=body, content_type="application/json")


def refusal(code: int) -> web.Response:
    return answer({"code": code, "desc": RESPONSES[code]})

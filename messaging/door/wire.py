"""Parameters in every form that clients of the provider send, and answers as the provider writes them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from io import BytesIO
from urllib.parse import parse_qsl

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from config.bodies import read_head
from contacts.numbers import BadNumber, parse_msisdn
from messaging.doorkeeping.refusals import MISSING, MIXED, CallRefused
from messaging.providers.packing import TO_LIMIT, WHATSAPP_PREFIX
from messaging.statuses import Channel
from messaging.text import storable

BODY_LIMIT = 256 * 1024
MOST_FIELDS = 1_000
FORM, MULTIPART = "application/x-www-form-urlencoded", "multipart/form-data"
NUMBER = re.compile(r"[0-9]{5,15}", re.ASCII)  # what the provider takes for a number; whether it is one, we ask next


def parameters(request: HttpRequest) -> dict[str, str]:
    """Query and body merged; of repeated keys the last one counts, as in PHP. Raises CallRefused if it is too much."""
    found = _pairs(request.META.get("QUERY_STRING", "").encode("latin-1", "replace"))  # WSGI hands bytes on as Latin-1
    body, broken = read_head(request, BODY_LIMIT)
    if broken:
        raise CallRefused(MISSING)
    kind = request.META.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
    if kind == MULTIPART:
        return found | _multipart(request, body)
    return found | _pairs(body) if kind in (FORM, "") else found


def _pairs(encoded: bytes) -> dict[str, str]:
    """A query or form, also where it was never percent-encoded."""
    try:
        pairs = parse_qsl(
            encoded.decode("utf-8", "replace"), keep_blank_values=True, errors="replace", max_num_fields=MOST_FIELDS
        )
    except ValueError:
        raise CallRefused(MISSING) from None
    return {name: storable(value) for name, value in pairs}


def _multipart(request: HttpRequest, body: bytes) -> dict[str, str]:
    try:
        meta = request.META | {"CONTENT_LENGTH": str(len(body))}
        fields, _files = MultiPartParser(meta, BytesIO(body), request.upload_handlers, "utf-8").parse()
    except (MultiPartParserError, SuspiciousOperation):
        return {}
    return {name: storable(str(value)) for name, value in fields.items()}


def require(given: Mapping[str, str], *names: str) -> None:
    if not all(given.get(name) for name in names):
        raise CallRefused(MISSING)


def recipients(to: str) -> list[tuple[Channel, str]]:
    """Channel and E.164 digits of each entry. Raises CallRefused if one of them is no number."""
    if len(to) > TO_LIMIT:
        raise CallRefused(MISSING)
    return [_recipient(entry) for entry in to.split(",")]


def _recipient(entry: str) -> tuple[Channel, str]:
    number, channel = entry.strip(), Channel.SMS
    if number[: len(WHATSAPP_PREFIX)].lower() == WHATSAPP_PREFIX:
        number, channel = number[len(WHATSAPP_PREFIX) :], Channel.WHATSAPP
    number = number.strip().removeprefix("+")  # which in a query arrives as a blank
    try:
        return channel, parse_msisdn(number if NUMBER.fullmatch(number) else "")
    except BadNumber:
        raise CallRefused(MISSING) from None


def only_channel(entries: list[tuple[Channel, str]]) -> Channel:
    """Raises CallRefused if there are two."""
    channels = {channel for channel, _ in entries}
    if len(channels) > 1:
        raise CallRefused(MIXED)
    return channels.pop()


def answer(content: Mapping[str, object]) -> HttpResponse:
    """One line of JSON with HTTP 200, whatever it says. Its length is named: old scripts read no chunks."""
    line = json.dumps(content, separators=(",", ":")).encode()
    return HttpResponse(line, content_type="application/json", headers={"Content-Length": str(len(line))})

"""Reading the bodies of control calls: plain values out, or one sentence that says what is wrong."""

import json
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from ipaddress import ip_network
from typing import Any

from aiohttp import web

from .accounts import HOOKS
from .faults import KNOWN, Fault
from .parts import SCALE
from .wire import NUMBER, WHATSAPP_PREFIX

FORMS = ("get", "form", "json", "broken")
MAX_TEXT = 65_536

Body = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class BadBody(Exception):
    """Says in one sentence what is wrong with a body."""


def require(holds: object, sentence: str) -> None:
    if not holds:
        raise BadBody(sentence)


@web.middleware
async def explain_bad_bodies(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except BadBody as bad:
        return web.json_response({"ok": False, "error": str(bad)}, status=400)


async def body_of(request: web.Request, *keys: str) -> Body:
    """A JSON object with no other keys than these; another site's page is turned away."""
    if request.headers.get("Sec-Fetch-Site", "same-origin") not in ("same-origin", "none"):
        raise web.HTTPForbidden(text="another site's page may not steer the sandbox")
    try:
        body: Body = json.loads(await request.read())
    except ValueError:
        raise BadBody("The body is not JSON.") from None
    require(isinstance(body, dict), "The body is not a JSON object.")
    unknown = sorted(set(body) - set(keys))
    require(not unknown, f"Unknown key {unknown[:1]}; known are {', '.join(keys)}.")
    return body


def whole(given: str, name: str) -> int:
    require(given.isascii() and given.isdigit() and len(given) <= 15, f"{name} is a whole number from 0.")
    return int(given)


def text(given: object, name: str) -> str:
    if not isinstance(given, str) or not given.strip() or len(given) > MAX_TEXT:
        raise BadBody(f"{name} is a text of 1 to {MAX_TEXT} letters.")
    try:
        given.encode()
    except UnicodeEncodeError:
        raise BadBody(f"{name} holds half a character.") from None
    return given


def msisdn(given: object) -> str:
    digits = re.sub(r"[ ()+.-]", "", str(given).strip().removeprefix(WHATSAPP_PREFIX))
    require(NUMBER.fullmatch(digits), "msisdn is a phone number with its country code, 5 to 15 digits.")
    return digits


def moment(given: object) -> datetime:
    if given is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(given) if isinstance(given, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise BadBody("at is an ISO 8601 time with its zone.")
    return moment


def amount(given: object) -> int:
    try:
        amount = Decimal(given) if isinstance(given, str) else Decimal(-1)
    except InvalidOperation:
        amount = Decimal(-1)
    scaled = amount * SCALE
    good = amount.is_finite() and 0 <= amount < 10**12 and scaled == scaled.to_integral_value()
    require(good, 'balance is an amount as text with up to 4 decimals, such as "100.0000".')
    return int(scaled)


def hooks(known: dict[str, str], given: object) -> dict[str, str]:
    """An empty address or null takes a hook away."""
    if not isinstance(given, dict) or set(given) - set(HOOKS):
        raise BadBody("hooks is an object with dn and mo.")
    for name, address in given.items():
        good = isinstance(address, str) and re.fullmatch(r"https?://[^\s/?#]+\S*", address)
        require(not address or good, f"hooks.{name} is an http or https address.")
    return {name: address for name, address in (known | given).items() if address}


def allow_list(given: object) -> list[str]:
    if not isinstance(given, list) or not all(isinstance(entry, str) for entry in given):
        raise BadBody("allow_list is a list of addresses and networks as text.")
    try:
        return [str(ip_network(entry, strict=False)) for entry in given]
    except ValueError as error:
        raise BadBody(f"allow_list: {error}.") from None


def texts(given: object) -> list[str]:
    if not isinstance(given, list) or not given:
        raise BadBody("texts is a list of one or more texts.")
    return [text(one, "each of texts") for one in given]


def faults(given: object) -> list[Fault]:
    if not isinstance(given, list):
        raise BadBody("faults is a list.")
    return [_fault(entry) for entry in given]


def _fault(entry: object) -> Fault:
    if not isinstance(entry, dict) or set(entry) - {"fault", "share", "seed", "at"}:
        raise BadBody("Each of faults is an object with fault and share, seed, or at.")
    name, share, at, seed = entry.get("fault"), entry.get("share", 0), entry.get("at", []), entry.get("seed", 0)
    if not isinstance(name, str) or name not in KNOWN:
        raise BadBody(f"Unknown fault {name!r}; known are {', '.join(sorted(KNOWN))}.")
    require("share" in entry or "at" in entry, f"{name} needs a share or at.")
    require(_is_share(share), "share is a number from 0 to 1.")
    require(isinstance(at, list) and all(type(n) is int and n >= 1 for n in at), "at is a list of numbers from 1.")
    require(isinstance(seed, int | str), "seed is a number or a text.")
    return Fault(name, frozenset(at), share, seed)


def check_dn(body: Body) -> None:
    delay_s, codes = body.get("delay_s", 0), body.get("error_codes", ["501"])
    require(_is_number(delay_s) and 0 <= delay_s <= 86_400, "delay_s is a number of seconds, at most a day.")
    require(_is_share(body.get("undelivered_share", 0)), "undelivered_share is a number from 0 to 1.")
    good_codes = isinstance(codes, list) and codes and all(re.fullmatch(r"[0-9]{1,5}", str(code)) for code in codes)
    require(good_codes, "error_codes is a list of one or more codes in digits.")
    require(body.get("form", "form") in FORMS, f"form is one of {', '.join(FORMS)}.")
    retries = body.get("retries", 0)
    require(type(retries) is int and 0 <= retries <= 100, "retries is a whole number from 0 to 100.")
    require(type(body.get("suffix_single", False)) is bool, "suffix_single is true or false.")
    require(type(body.get("seed", 0)) is int, "seed is a whole number.")


def _is_number(given: object) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool)


def _is_share(given: object) -> bool:
    return _is_number(given) and 0 <= given <= 1  # type: ignore[operator]

"""The provider's two addresses as we answer them: what to say to what was given, always as JSON with HTTP 200."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponse

from config.peers import client_address
from messaging import doorkeeping, nudges
from messaging.clock import db_now
from messaging.door import wire
from messaging.doorkeeping import CallRefused, Wish
from messaging.doorkeeping.refusals import ACCEPTED, SERVER_ERROR
from messaging.models import DoorClient
from messaging.providers.codes import ANSWER_CODES

Content = Mapping[str, object]
Given = Mapping[str, str]
log = structlog.get_logger(__name__)


def send(request: HttpRequest) -> HttpResponse:
    """`send.php`: one text to the people in `to`."""
    return _answered(request, _send, lambda code: {"code": code, "desc": _words(code)})


def balance(request: HttpRequest) -> HttpResponse:
    """`getBalance`: what is left on the account that the client's messages are charged to."""
    return _answered(request, _balance, lambda code: {"status": "failed", "code": code, "desc": _words(code)})


def _answered(
    request: HttpRequest, act: Callable[[Given, str | None], Content], refusal: Callable[[int], Content]
) -> HttpResponse:
    """The act's answer, or a refusal. Of what breaks only kind and place are logged: its words may hold a secret."""
    if request.method not in ("GET", "POST"):
        return HttpResponse(status=405, headers={"Allow": "GET, POST"}, content_type="text/plain")
    try:
        content = act(wire.parameters(request), client_address(request.META, settings.TRUSTED_PROXIES))
    except CallRefused as refused:
        content = refusal(refused.answer)
    except Exception as error:  # noqa: BLE001  whatever it is, the caller understands nothing but the provider's 500
        log.error("door.failed", error=type(error).__name__, where=_innermost(error))
        content = refusal(SERVER_ERROR)
    log.info("door.answered", path=request.path_info, code=content.get("code", ACCEPTED))
    return wire.answer(content)


def _innermost(error: Exception) -> str:
    """Module and line where it was raised."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{Path(frame.filename).name}:{frame.lineno}"


def _send(given: Given, peer: str | None) -> Content:
    wire.require(given, "user", "pass", "to", "text")
    entries = wire.recipients(given["to"])
    now = db_now()
    client = _client(given, now)
    doorkeeping.refuse_disabled(client)
    doorkeeping.refuse_stopped(client.connection)
    doorkeeping.refuse_strangers(client, peer)
    wish = Wish(given["to"], wire.only_channel(entries), [msisdn for _, msisdn in entries], given["text"])
    taken = doorkeeping.take_call(client=client, wish=wish, now=now)
    nudges.drain(client.connection_id)
    shown = doorkeeping.known_balance(client.connection) if given.get("detail") == "1" else {}
    return {"code": ACCEPTED, "desc": _words(ACCEPTED), "to": wish.to, "ref": taken.ref, **shown}


def _balance(given: Given, peer: str | None) -> Content:
    wire.require(given, "user", "pass")
    now = db_now()
    client = _client(given, now)
    doorkeeping.refuse_disabled(client)
    doorkeeping.refuse_strangers(client, peer)
    told = doorkeeping.ask_balance(connection=client.connection, country=given.get("country", "").upper(), now=now)
    return {"status": "success", "description": told}


def _client(given: Given, now: datetime) -> DoorClient:
    key = doorkeeping.sign_in(given["user"], given["pass"])
    structlog.contextvars.bind_contextvars(door_client=key.client.name)
    doorkeeping.note_use(key, now)
    return key.client


def _words(code: int) -> str:
    return ANSWER_CODES[code].provider_words

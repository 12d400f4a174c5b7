"""One declaration for each operation: who may call it, what it takes and answers. OpenAPI is made of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ParseError, ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from messaging.api.authentication import key_of
from messaging.api.problems import MEDIA_TYPE, LengthRequired, answer
from messaging.api.shapes import Empty, Shape
from messaging.clients import Answer, answer_once
from messaging.errors import Refused
from messaging.models import ApiClient, Scope

LONGEST_KEY = 255


@dataclass(frozen=True, slots=True)
class Operation:
    """What one method of one path needs and takes."""

    scope: Scope
    right: str  # the permission that the client's owner must have
    query: type[Shape]
    body: type[Shape] | None
    once: bool  # takes an Idempotency-Key


@dataclass(frozen=True, slots=True)
class Call:
    """One request, read and checked: who asks, what, and when."""

    request: Request
    client: ApiClient
    user: User
    now: datetime
    query: dict[str, Any]
    body: dict[str, Any]


def operation(
    summary: str,
    *,
    scope: Scope,
    answers: Mapping[Any, Any],
    right: str = "",
    query: type[Shape] = Empty,
    body: type[Shape] | None = None,
    body_described: Any = None,
    once: bool = False,
    description: str = "",
) -> Callable[[Callable[..., HttpResponseBase]], Callable[..., HttpResponseBase]]:
    """Make a method of an ApiView out of a function that takes a Call and the path's parts."""
    declared = Operation(scope, right, query, body, once)

    def decorate(handler: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        @wraps(handler)
        def handle(view: Any, request: Request, **path: Any) -> HttpResponseBase:
            client = key_of(request).client
            call = Call(
                request=request,
                client=client,
                user=client.owner,
                now=view.now,
                query=read_query(request, query),
                body=read_body(request, body) if body else {},
            )
            key = _idempotency_key(request) if once else ""
            return _once(call, key, lambda: handler(view, call, **path)) if key else handler(view, call, **path)

        handle.operation = declared  # type: ignore[attr-defined]
        return extend_schema(
            summary=summary,
            description=description,
            parameters=[] if query is Empty else [query],
            request=body_described or body,
            responses=dict(answers),
        )(handle)

    return decorate


def read_query(request: Request, shape: type[Shape]) -> dict[str, Any]:
    """The URL's parameters. Raises ValidationError, also for one that is unknown or stands there twice."""
    twice = [name for name, values in request.query_params.lists() if len(values) > 1]
    if twice:
        raise ValidationError(dict.fromkeys(twice, "It stands there twice."), "duplicate")
    return _read(shape, request.query_params.dict())


def read_body(request: Request, shape: type[Shape]) -> dict[str, Any]:
    if request.META.get("HTTP_TRANSFER_ENCODING") and not request.META.get("CONTENT_LENGTH"):
        raise LengthRequired
    return _read(shape, request.data if request.META.get("CONTENT_LENGTH") not in ("", "0", None) else {})


def _read(shape: type[Shape], data: Any) -> dict[str, Any]:
    read = shape(data=data)
    read.is_valid(raise_exception=True)
    return dict(read.validated_data)


def _idempotency_key(request: Request) -> str:
    key: str | None = request.headers.get("Idempotency-Key")
    if key is None:
        return ""
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise ParseError("An Idempotency-Key has 1 to 255 printable ASCII letters.", "bad_idempotency_key")
    return key


def _once(call: Call, key: str, act: Callable[[], HttpResponseBase]) -> HttpResponse:
    def acted() -> Answer:
        try:
            response = act()
        except Refused as refusal:
            response = answer(refusal)
        assert isinstance(response, Response)
        return Answer(response.status_code, JSONRenderer().render(response.data).decode())

    kept = answer_once(client=call.client, key=key, fingerprint=_fingerprint(call.request), now=call.now, act=acted)
    media_type = MEDIA_TYPE if kept.status >= 400 else "application/json"
    headers = {"Idempotency-Replayed": "true"} if kept.replayed else {}
    return HttpResponse(kept.body, status=kept.status, content_type=media_type, headers=headers)


def _fingerprint(request: Request) -> bytes:
    """The same for the same call, however its JSON is spelled."""
    said = json.dumps([request.method, request.path, request.data], sort_keys=True)
    return hashlib.sha256(said.encode()).digest()

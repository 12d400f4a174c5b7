"""Every error as problem+json (RFC 9457), with a stable code for machines beside the words for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import PermissionDenied
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DataError, InterfaceError, OperationalError
from django.http import Http404, HttpResponse, HttpResponseBase
from django.template.response import SimpleTemplateResponse
from rest_framework import exceptions
from rest_framework.response import Response

from messaging.clients import KeyReused
from messaging.errors import Refused

log = structlog.get_logger()

MEDIA_TYPE = "application/problem+json"
TOLD = ("lane", "facts", "problems", "fields", "version", "reason_code")  # what of a refusal's detail goes out


class TooLarge(exceptions.APIException):
    status_code, default_code, default_detail = 413, "too_large", "The body is too large."


class LengthRequired(exceptions.APIException):
    status_code, default_code, default_detail = 411, "length_required", "Say the body's Content-Length."


def problem(status: int, code: str, detail: str, **more: Any) -> Response:
    """The answer; what is `None` among `more` is left out."""
    title = HTTPStatus(status).phrase
    body = {"type": "about:blank", "title": title, "status": status, "code": code, "detail": detail}
    body |= {key: value for key, value in more.items() if value is not None}
    return Response(body, status=status, content_type=MEDIA_TYPE)


def not_found() -> HttpResponse:
    """For a path that is none of ours; it needs no view."""
    body = problem(404, "not_found", "There is nothing here.").data
    return HttpResponse(json.dumps(body), status=404, content_type=MEDIA_TYPE)


def rendered(response: HttpResponseBase) -> HttpResponseBase:
    """A response whose content stands, as what leaves the middlewares has to be."""
    return response.render() if isinstance(response, SimpleTemplateResponse) else response


def answer(error: Exception, _context: Mapping[str, Any] | None = None) -> Response:
    """What any exception is answered with (DRF's EXCEPTION_HANDLER). An unforeseen one is logged: 500."""
    match error:
        case Refused():
            return _refused(error)
        case exceptions.ValidationError():
            words = "The request is not as the API describes it."
            return problem(400, "invalid", words, errors=list(_places(error.get_full_details())))
        case exceptions.APIException():
            return _of_rest_framework(error)
        case Http404():
            return problem(404, "not_found", "There is nothing here, or it is not yours.")
        case PermissionDenied():
            return problem(403, "forbidden", "This key may not do that.")
        case DataError():
            return problem(409, "does_not_fit", "A value is too long for where it belongs.")
        case OperationalError() | InterfaceError():
            log.error("api.unavailable", exc_info=error)
            away = problem(503, "unavailable", "This cannot be done now: call again.")
            away["Retry-After"] = "5"
            return away
    log.error("api.failed", exc_info=error)
    return problem(500, "internal_error", "This is our fault. Nothing was changed.")


def _refused(refusal: Refused) -> Response:
    status = 422 if isinstance(refusal, KeyReused) else 409
    told = {key: refusal.detail[key] for key in TOLD if key in refusal.detail}
    safe: dict[str, Any] = json.loads(json.dumps(told, cls=DjangoJSONEncoder))
    return problem(status, refusal.code, str(refusal.words), **safe)


def _of_rest_framework(error: exceptions.APIException) -> Response:
    code = error.get_codes()
    response = problem(error.status_code, code if isinstance(code, str) else "invalid", str(error.detail))
    if header := getattr(error, "auth_header", None):
        response["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        response["Retry-After"] = str(int(wait))
    return response


def _places(details: Any, pointer: str = "") -> Iterator[dict[str, str]]:
    """One entry for each error; `pointer` (RFC 6901) says where in the request it is."""
    if isinstance(details, dict) and "message" in details:
        yield {"pointer": pointer, "code": str(details["code"]), "detail": str(details["message"])}
    elif isinstance(details, dict):
        for key, inner in details.items():
            place = "" if key == "non_field_errors" else f"/{str(key).replace('~', '~0').replace('/', '~1')}"
            yield from _places(inner, pointer + place)
    else:
        for inner in details:
            yield from _places(inner, pointer)

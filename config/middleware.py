"""One structured line for each request, with an id that the answer carries too."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponse

log = structlog.get_logger("http")
QUIET_PATHS = ("/healthz", "/readyz", "/static/")


class RequestLog:
    """Logs method, path (no query: it may hold a secret), status and duration."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = uuid.uuid4().hex
        started = time.monotonic()
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            response = self.get_response(request)
            if not request.path.startswith(QUIET_PATHS):
                log.info(
                    "request",
                    method=request.method,
                    path=request.path,
                    status=response.status_code,
                    ms=round((time.monotonic() - started) * 1000),
                )
        response["X-Request-ID"] = request_id
        return response

"""What happens to every request: a line in the log, and a second factor where it is asked for."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

import structlog
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

log = structlog.get_logger("http")
QUIET_PATHS = ("/healthz", "/readyz", "/metrics", "/static/")


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


class SecondFactor:
    """With REQUIRE_MFA, whoever has signed in without a second factor sets one up before anything else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.REQUIRE_MFA:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        free = request.path.startswith(("/accounts/", *QUIET_PATHS))
        if free or not request.user.is_authenticated or is_mfa_enabled(request.user):
            return self.get_response(request)
        return redirect("mfa_activate_totp")

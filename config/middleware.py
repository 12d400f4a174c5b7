"""What happens to every request: a line in the log, and a second factor where it is asked for."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from typing import Any

import structlog
from allauth.account.authentication import get_authentication_records
from allauth.mfa.signals import authenticator_added
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.core.exceptions import MiddlewareNotUsed
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

log = structlog.get_logger("http")
QUIET_PATHS = ("/healthz", "/readyz", "/metrics", "/static/")
SET_UP_HERE = "second_factor_set_up"  # in the session: pk of the user who set one up in it


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


class Private:
    """Pages of whoever has signed in stay in no browser's store: the next user of a machine may be another person."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        html = response.headers.get("Content-Type", "").startswith("text/html")
        if html and request.user.is_authenticated and not request.path.startswith(QUIET_PATHS):
            add_never_cache_headers(response)
        return response


class SecondFactor:
    """With REQUIRE_MFA, nothing opens before a second factor is set up, or to a session that has not shown it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        if not settings.REQUIRE_MFA:
            raise MiddlewareNotUsed
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        user = request.user
        if request.path.startswith(QUIET_PATHS) or not user.is_authenticated or _second_factor_shown(request):
            return self.get_response(request)
        if not is_mfa_enabled(user):
            free = request.path.startswith("/accounts/")
            return self.get_response(request) if free else redirect("mfa_activate_totp")
        asking = reverse("mfa_reauthenticate")  # not the other pages of accounts: one shows the recovery codes
        if request.path in (asking, reverse("account_logout")):
            return self.get_response(request)
        return redirect(asking)


@receiver(authenticator_added)
def _set_up_here(request: HttpRequest, user: AbstractBaseUser, **_kwargs: Any) -> None:
    request.session[SET_UP_HERE] = user.pk


def _second_factor_shown(request: HttpRequest) -> bool:
    """Whether this session was asked for the second factor, or set it up; that the user has one is not enough."""
    if not is_mfa_enabled(request.user):
        return False
    records = get_authentication_records(request, request.user)
    return request.session.get(SET_UP_HERE) == request.user.pk or any(one["method"] == "mfa" for one in records)

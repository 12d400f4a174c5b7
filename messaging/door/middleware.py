from __future__ import annotations

import uuid
from collections.abc import Callable

import structlog
from django.http import HttpRequest, HttpResponseBase

from messaging.door import views
from messaging.providers.bulk360 import BALANCE_PATH, SEND_PATH

VIEWS = {SEND_PATH: views.send, BALANCE_PATH: views.balance}


class Door:
    """Leads calls of the provider's URLs straight to their view: sessions, CSRF and redirects are not for them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        view = VIEWS.get(request.path_info)
        if view is None:
            return self.get_response(request)
        with structlog.contextvars.bound_contextvars(request_id=uuid.uuid4().hex, door_client=""):
            return view(request)

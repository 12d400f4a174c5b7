"""What all paths of the API have in common."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from rest_framework.exceptions import MethodNotAllowed, Throttled
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from messaging import clients
from messaging.api.authentication import KeyAuthentication, MayDoIt, key_of, refuse_secrets_in_url
from messaging.api.operations import Operation
from messaging.api.parsing import StrictJson
from messaging.api.problems import answer
from messaging.clients import Quota
from messaging.clock import db_now


class ApiView(APIView):
    """One path; its methods are made by `operation`. Whoever calls is counted before anything is done for them."""

    authentication_classes = (KeyAuthentication,)
    permission_classes = (MayDoIt,)
    parser_classes = (StrictJson,)
    renderer_classes: tuple[type[BaseRenderer], ...] = (JSONRenderer,)
    content_negotiation_class = DefaultContentNegotiation
    http_method_names = ["get", "post", "patch", "delete"]
    now: datetime
    quota: Quota | None = None

    @property
    def operation(self) -> Operation:
        """Of the method that is being called."""
        method = (self.request.method or "").lower()
        handler = getattr(self, method, None) if method in self.http_method_names else None
        if handler is None:
            raise MethodNotAllowed(method.upper())
        found: Operation = handler.operation
        return found

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        _known = self.operation
        refuse_secrets_in_url(request)
        self.now = db_now()
        super().initial(request, *args, **kwargs)

    def perform_authentication(self, request: Request) -> None:
        super().perform_authentication(request)
        if request.auth is None:
            self.permission_denied(request)
        clients.note_use(key_of(request), self.now)
        self.quota = clients.take(key_of(request).client)
        if not self.quota.allowed:
            raise Throttled(self.quota.resets_in_s)

    def get_exception_handler(self) -> Any:
        return answer

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Response:
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Cache-Control"] = "no-store"
        if self.quota:
            response["RateLimit-Limit"] = str(self.quota.limit)
            response["RateLimit-Remaining"] = str(self.quota.remaining)
            response["RateLimit-Reset"] = str(self.quota.resets_in_s)
        return response

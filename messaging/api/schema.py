"""What the OpenAPI document says of every operation, beside what the operation declares itself."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse

from messaging.api.operations import Operation
from messaging.api.problems import MEDIA_TYPE
from messaging.api.shapes import Problem, Shape

ALWAYS = {
    400: "Not as described here",
    401: "No valid key",
    403: "The key may not do this",
    405: "No such method",
    406: "Only JSON is answered",
    429: "Too many requests this minute",
    500: "Our fault",
    503: "Not now",
}
WITH_A_BODY = {411: "Content-Length is missing", 413: "Too large", 415: "Only UTF-8 JSON is read"}
REFUSED = {409: "Refused; `code` says why"}
FOUND = {404: "Nothing there, or not yours"}
REUSED = {422: "The Idempotency-Key belongs to another call"}
IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    OpenApiParameter.HEADER,
    description="Repeats with the same key and body get the first answer, for 7 days.",
)
WHOLE = {"type": "integer", "minimum": 0}
LIMITS = {
    "RateLimit-Limit": {"schema": WHOLE, "description": "requests a minute"},
    "RateLimit-Remaining": {"schema": WHOLE, "description": "left of this minute"},
    "RateLimit-Reset": {"schema": WHOLE, "description": "seconds until the next minute"},
}


class BearerKey(OpenApiAuthenticationExtension):
    target_class = "messaging.api.authentication.KeyAuthentication"
    name = "key"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "`wg_live_…` or `wg_test_…`"}


class DescribedSchema(AutoSchema):
    """Adds what each operation of the API shares: errors, rate limits, the Idempotency-Key."""

    def _operation(self) -> Operation | None:
        return getattr(getattr(self.view, self.method.lower(), None), "operation", None)

    def get_operation_id(self) -> str:
        """`postMessages`: the method and the view's name, which stay when the path's words change."""
        named = f"{self.method.lower()}{type(self.view).__name__}"
        return named if self._operation() else str(super().get_operation_id())

    def get_override_parameters(self) -> list[Any]:
        declared = self._operation()
        found: list[Any] = super().get_override_parameters()
        return [*found, IDEMPOTENCY_KEY] if declared and declared.once else found

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        declared = self._operation()
        if not declared:
            return bodies
        for body in bodies.values():
            body["headers"] = LIMITS | body.get("headers", {})
        for status, words in self._problems(declared).items():
            told = OpenApiResponse(Problem, words)
            bodies.setdefault(str(status), self._get_response_for_code(told, status, [MEDIA_TYPE], direction))
        return bodies

    def _problems(self, declared: Operation) -> dict[int, str]:
        found, asked = ALWAYS | (REUSED if declared.once else {}), declared.query().fields
        if "{" in self.path or "cursor" in asked:
            found |= FOUND
        if self.method != "GET" or "msisdn" in asked:
            found |= REFUSED
        return found | (WITH_A_BODY if declared.body else {})

    def _map_basic_serializer(self, serializer: Any, direction: Any) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)
        if isinstance(serializer, Shape):
            schema["additionalProperties"] = False
        return schema

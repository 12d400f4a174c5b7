"""The hooks in the OpenAPI document."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view

ANSWERS = {
    (200, "text/plain"): OpenApiResponse(OpenApiTypes.STR, "`OK`: the call is durable"),
    404: OpenApiResponse(description="Wrong token, or an address that may not call"),
    503: OpenApiResponse(description="Nothing can be stored now: call again"),
}
TOKEN = OpenApiParameter("token", str, OpenApiParameter.PATH, description="The secret part of the hook's URL")


def described(summary: str, description: str) -> Any:
    """For both methods of a hook; any body is taken."""
    about: dict[str, Any] = {
        "summary": summary,
        "description": description,
        "parameters": [TOKEN],
        "responses": ANSWERS,
        "tags": ["hooks"],
        "auth": [],
    }
    return extend_schema_view(
        get=extend_schema(**about), post=extend_schema(request={"*/*": OpenApiTypes.BINARY}, **about)
    )

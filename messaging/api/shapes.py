"""How requests and answers are built."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from rest_framework import serializers

from messaging.api.fields import Id, Whole

MOST = 200


class Shape(serializers.Serializer):
    """A request's parameters or body: what it does not know, it refuses."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping) and (strangers := [str(name) for name in data if name not in self.fields]):
            raise serializers.ValidationError(
                {name: ["There is no such field."] for name in strangers}, "unknown_field"
            )
        return super().to_internal_value(data)


class Empty(Shape):
    """Nothing at all."""


class PageQuery(Shape):
    cursor = Id(required=False, help_text="`next` of the page before")
    limit = Whole(required=False, default=50, min_value=1, max_value=MOST)


class ProblemPlace(serializers.Serializer):
    pointer = serializers.CharField(allow_blank=True, help_text="where, as a JSON pointer")
    code = serializers.CharField()
    detail = serializers.CharField()


class Problem(serializers.Serializer):
    """problem+json (RFC 9457). `code` is stable; a refusal by the rule has the rule's reason as its code."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    code = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)
    errors = ProblemPlace(many=True, required=False)  # type: ignore[assignment]  # a field, collected by its class
    lane = serializers.CharField(required=False)
    facts = serializers.DictField(required=False)
    problems = serializers.ListField(child=serializers.CharField(), required=False)


@cache
def page_of(shape: type[serializers.Serializer]) -> type[serializers.Serializer]:
    """The shape of one page of a list."""
    cursor = serializers.CharField(allow_null=True, help_text="cursor of the next page, or null")
    name = f"{shape.__name__}Page"
    return type(name, (serializers.Serializer,), {"results": shape(many=True), "next": cursor, "__doc__": ""})

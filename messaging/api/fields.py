"""Fields that take exactly what the OpenAPI document says: a text is a text, never a number in its place."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from uuid import UUID

from django.core.validators import RegexValidator
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from contacts import numbers
from messaging.errors import Refused

NO_NUL = r"^[^\x00]*$"
KEY = r"^[a-z][a-z0-9_]{0,31}$"  # of a contact's field and of a placeholder
CLOCK = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
LANGUAGE = r"^[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})?$"
YEARS = range(2000, 2200)


class BadValue(Refused):
    """A value of the right shape that nothing can be done with."""

    def __init__(self, code: str, words: Any) -> None:
        super().__init__(words)
        self.code = code


class Text(serializers.CharField):
    def __init__(self, *, pattern: str = NO_NUL, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)
        self.validators.append(RegexValidator(pattern))

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return data


class Flag(serializers.BooleanField):
    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class Word(serializers.ChoiceField):
    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str) or data == "":
            self.fail("invalid_choice", input=data)
        return super().to_internal_value(data)


class Id(serializers.UUIDField):
    CANONICAL = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or not self.CANONICAL.fullmatch(data):
            self.fail("invalid", value=data)
        return UUID(data)


class Whole(serializers.IntegerField):
    """In a body a number, in a URL its digits."""

    def to_internal_value(self, data: Any) -> int:
        digits = isinstance(data, str) and re.fullmatch(r"0|-?[1-9][0-9]{0,18}", data, re.ASCII)
        if not digits and (not isinstance(data, int) or isinstance(data, bool)):
            self.fail("invalid")
        return int(data)


class Moment(serializers.DateTimeField):
    """RFC 3339, with its zone. Raises BadValue for a time outside our years."""

    def to_internal_value(self, data: Any) -> datetime:
        if not isinstance(data, str) or not RFC_3339.fullmatch(data):
            self.fail("invalid", format="2026-11-25T09:30:00+08:00")
        try:
            at = parse_datetime(data.upper())
        except ValueError:
            at = None
        if at is None or at.year not in YEARS:
            raise BadValue("bad_time", _("Nothing can be planned for that time."))
        return at


@extend_schema_field({"type": "string", "minLength": 1, "maxLength": 64, "pattern": NO_NUL, "format": "phone"})
class Phone(serializers.Field):
    """A mobile number in any spelling, as its digits. Raises BadValue with the reason."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str) or not 1 <= len(data) <= numbers.LONGEST_SPELLING:
            raise serializers.ValidationError("This is no text of 1 to 64 letters.", "invalid")
        try:
            return numbers.parse_msisdn(data)
        except numbers.BadNumber as bad:
            raise BadValue("bad_number", bad.words) from None


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {"type": "string", "maxLength": 1024, "pattern": NO_NUL},
        "propertyNames": {"pattern": KEY},
        "maxProperties": 50,
    }
)
class Values(serializers.DictField):
    """Up to 50 texts by the key of their field or placeholder."""

    child = serializers.CharField(allow_blank=True, max_length=1024, trim_whitespace=False)

    def to_internal_value(self, data: Any) -> dict[str, str]:
        if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
            raise serializers.ValidationError("Texts by key are expected.", "invalid")
        if len(data) > 50 or not all(re.fullmatch(KEY, key, re.ASCII) for key in data):
            raise serializers.ValidationError("At most 50 keys like `branch_name`.", "invalid_keys")
        values: dict[str, str] = super().to_internal_value(data)
        return values

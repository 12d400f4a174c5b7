"""JSON as we take it: nothing in it that means two things, that no column holds, or that costs us to look at."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import IO, Any

from rest_framework.exceptions import ParseError, UnsupportedMediaType
from rest_framework.parsers import BaseParser

from messaging.api.problems import TooLarge

MAX_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 20
MAX_NUMBER = 2**63 - 1  # what a bigint holds
MAX_DIGITS = 30


class StrictJson(BaseParser):
    """Refuses other charsets than UTF-8, bodies over 2 MB, duplicate keys, NUL, lone surrogates, depth over 20."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        _check_charset(parser_context["request"].content_type if parser_context else "")
        body = stream.read(MAX_BYTES + 1)
        if len(body) > MAX_BYTES:
            raise TooLarge
        return load(body)


def load(body: bytes) -> Any:
    """The value of a JSON text. Raises ParseError."""
    try:
        value = json.loads(
            body.decode("utf-8-sig"),
            object_pairs_hook=_without_twins,
            parse_constant=_refuse_constant,
            parse_int=_whole,
            parse_float=_fraction,
        )
    except UnicodeDecodeError:
        raise ParseError("The body is not UTF-8.", "not_utf8") from None
    except RecursionError:
        raise ParseError("The body is nested too deeply.", "too_deep") from None
    except json.JSONDecodeError as error:
        raise ParseError(f"The body is no JSON: {error}.", "malformed_json") from None
    _check(value)
    return value


def _check_charset(content_type: str) -> None:
    _kind, _semicolon, parameters = content_type.partition(";")
    for parameter in parameters.split(";"):
        name, _equals, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"').lower() not in ("utf-8", "utf8"):
            raise UnsupportedMediaType(content_type)


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ParseError("A key stands twice in one object.", "duplicate_key")
    return found


def _refuse_constant(_word: str) -> Any:
    raise ParseError("NaN and Infinity are no JSON.", "malformed_json")


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS or abs(int(digits)) > MAX_NUMBER:
        raise ParseError("A number is out of range.", "number_out_of_range")
    return int(digits)


def _fraction(digits: str) -> float | int:
    """JSON Schema counts 2.0 among the integers."""
    value = float(digits)
    if abs(value) > MAX_NUMBER:
        raise ParseError("A number is out of range.", "number_out_of_range")
    return int(value) if value.is_integer() else value


def _check(value: Any) -> None:
    """Walks without recursion: depth, and texts that PostgreSQL cannot hold."""
    waiting = [(value, 1)]
    while waiting:
        inner, depth = waiting.pop()
        if isinstance(inner, str):
            _check_text(inner)
        elif isinstance(inner, dict | list):
            if depth > MAX_DEPTH:
                raise ParseError("The body is nested too deeply.", "too_deep")
            texts = inner if isinstance(inner, dict) else ()
            waiting += [(key, depth) for key in texts]
            waiting += [(one, depth + 1) for one in (inner.values() if isinstance(inner, dict) else inner)]


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise ParseError("A text has a NUL in it.", "nul")
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ParseError("A text has half a surrogate pair in it.", "lone_surrogate")

"""The fields of a received call, whatever its method and encoding. Pure; never raises.

Nobody says how the provider encodes its calls, and the sample of a DN on its own page is no valid JSON.
"""

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qsl

from messaging.text import storable

Record = dict[str, Any]  # keys as plain_key makes them; values are text, or what a JSON body nests

DEPTH = 6  # of wrappers around the fields: {"data": {"notices": [{…}]}}
MAX_FIELDS = 1_000
_TOKEN = re.compile(
    r"""(?P<comment>\#[^\n]*) | "(?P<text>(?:[^"\\]|\\.)*)"? | '(?P<quoted>[^'\n]*)'? | (?P<mark>[{}\[\]:=,])
      | (?P<bare>[^\s{}\[\]:=,"'\#]+)""",
    re.VERBOSE | re.DOTALL,
)
_PLAIN_FORM = re.compile(rb"[\w.-]+=[\w.: -]*(?:&[\w.-]+=[\w.: -]*){0,99}")  # as most calls are: nothing is encoded
_NOISE = re.compile(r"[-_\s]")
_PART_NAME = re.compile(rb'[;\s]name="?([^";\r\n]*)', re.IGNORECASE)
_FILE_NAME = re.compile(rb'filename="?([^";\r\n]*)', re.IGNORECASE)
_BOUNDARY = re.compile(r'boundary="?([^";,]+)', re.IGNORECASE)
_CHARSET = re.compile(r'charset="?([\w.:-]+)', re.IGNORECASE)


def read_records(query: bytes, content_type: str, body: bytes) -> list[Record]:
    """The sets of fields in a call, outer ones first; the query's fields stand in each, the body's win."""
    shared = _fold(_pairs(query, ""))
    records = [shared | record for record in _body_records(content_type, body)]
    return records or ([shared] if shared else [])


def text_of(value: Any) -> str:
    """A field's value as a text that a column can hold; of several the last one counts, as in PHP."""
    while isinstance(value, list):
        value = value[-1] if value else ""
    return storable(value).strip() if isinstance(value, str) else ""


@lru_cache(maxsize=1_000)
def plain_key(key: str) -> str:
    """`Error-Code`, `error_code` and `errorCode` are one."""
    return _NOISE.sub("", key).lower()


def _fold(pairs: Iterable[Sequence[Any]]) -> Record:
    return {plain_key(key): value for key, value in pairs}


def _body_records(content_type: str, body: bytes) -> list[Record]:
    if _PLAIN_FORM.fullmatch(body):
        return [_fold(pair.split("=", 1) for pair in body.decode("ascii").split("&"))]
    if not body.strip():
        return []
    if body.lstrip().startswith(b"--"):
        return [_fold(_parts(content_type, body))]
    text = _decode(body, content_type).strip()
    if text[:1] in ("{", "[", "#", '"'):
        return _json_records(text)
    if "&" not in text and "\n" in text:
        return _loose_records(text)
    form = _fold(_pairs(body, content_type))
    wrapped = [text_of(value) for value in form.values()]
    if len(wrapped) == 1 and wrapped[0][:1] in ("{", "["):  # payload={"status": …}
        return _json_records(wrapped[0])
    return [form]


def _decode(data: bytes, content_type: str) -> str:
    """UTF-8, perhaps cut in the middle of a letter; else what the caller claims, else what Windows writes."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return data.decode("utf-16", "replace")
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        text, read = codecs.utf_8_decode(data, "strict", False)
        if read == len(data) or not text.isascii():
            return text
    except UnicodeDecodeError:
        pass
    claimed = _CHARSET.search(content_type)
    try:
        return data.decode(claimed[1] if claimed else "cp1252", "replace")
    except (LookupError, ValueError):
        return data.decode("cp1252", "replace")


def _pairs(encoded: bytes, content_type: str) -> list[tuple[str, str]]:
    """Form fields; what is wrongly encoded stays as it came."""
    head = "&".join(encoded.decode("latin-1").split("&", MAX_FIELDS)[:MAX_FIELDS])
    pairs = parse_qsl(head, keep_blank_values=True, encoding="latin-1")
    return [(key, _decode(value.encode("latin-1"), content_type)) for key, value in pairs]


def _parts(content_type: str, body: bytes) -> Iterator[tuple[str, str]]:
    """The fields of a multipart body; of a file its name alone."""
    claimed = _BOUNDARY.search(content_type)
    boundary = b"--" + claimed[1].strip().encode() if claimed else b""
    if boundary not in body or not claimed:
        boundary = body.lstrip().split(b"\n", 1)[0].strip()
    for part in (b"\n" + body).split(b"\n" + boundary, MAX_FIELDS)[1:]:
        head, _, data = part.replace(b"\r\n", b"\n").partition(b"\n\n")
        if name := _PART_NAME.search(head):
            value = file[1] if (file := _FILE_NAME.search(head)) else data.removesuffix(b"\n")
            yield _decode(name[1], ""), _decode(value, content_type)


def _json_records(text: str) -> list[Record]:
    try:
        parsed = json.loads(text, strict=False, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return _loose_records(text)
    return list(_objects(parsed, DEPTH))


def _objects(parsed: Any, depth: int) -> Iterator[Record]:
    """Every object in it, a wrapper before what it wraps: the reader knows which one has its fields."""
    if depth == 0 or not isinstance(parsed, dict | list):
        return
    if isinstance(parsed, dict):
        yield _fold((key, _spelled(value)) for key, value in parsed.items())
    for inner in parsed.values() if isinstance(parsed, dict) else parsed:
        yield from _objects(inner, depth - 1)


def _spelled(value: Any) -> Any:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else value


def _loose_records(text: str) -> list[Record]:
    """`key : value` pairs in braces or not, quoted or bare, with `#` comments: the sample on the provider's page."""
    records: list[Record] = [{}]
    word = key = ""
    for token in _TOKEN.finditer(text):
        match token.lastgroup, token[0]:
            case "comment", _:
                continue
            case "mark", ":" | "=":
                key, word = word, ""
            case "mark", "{" | "}":
                word = key = ""
                records.append({})
            case "mark", _:
                word = key = ""
            case group, _:
                word = _unescape(token[group]) if group == "text" else token[group or 0]
                if key:
                    records[-1][plain_key(key)] = word
                    word = key = ""
    return [record for record in records if record]


def _unescape(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:
        return text

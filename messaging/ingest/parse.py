"""DNs and MOs as values, read tolerantly from what the hook kept. Pure; never raises.

Names and rules are those of protocol.md, sections 3 and 4.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from messaging.ingest.times import read_time
from messaging.ingest.wire import Record, plain_key, read_records, text_of
from messaging.providers.codes import parse_code
from messaging.statuses import Channel

DN_FIELDS = {
    "status": ("status", "dlrstatus"),
    "code": ("errorcode",),
    "msisdn": ("msisdn", "to", "mobile"),
    "msgid": ("msgid", "ref", "id"),
}
MO_FIELDS = {
    "sender": "msisdn from sender mobile phone source wa_id",
    "receiver": "to receiver shortcode longcode dest recipient",
    "text": "text message msg body content caption",
    "id": "moid mo_id msgid message_id id ref",
    "time": "time timestamp datetime date moDateTime received",
    "media": "media media_url url file attachment image video audio document",
    "type": "type mime",
    "filename": "filename",
    "channel": "channel",
}
LONGEST_ID = 80
SCHEME = re.compile(r"(whatsapp|sms|tel):", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class ParsedNotice:
    """One DN: `status` in upper case, `code` as our tables spell it ("000" is "0"), the rest as it came."""

    status: str
    code: str
    msisdn: str
    msgid: str


@dataclass(frozen=True, slots=True)
class ParsedMO:
    """One MO. `sender` without scheme and `+`; `at` is naive where the provider named no zone."""

    sender: str
    text: str = ""
    receiver: str = ""
    id: str = ""
    at: datetime | None = None
    channel: Channel = Channel.WHATSAPP
    media: list[dict[str, str]] = field(default_factory=list)


def read_dn(query: bytes, content_type: str, body: bytes) -> list[ParsedNotice]:
    """Every DN in a call; empty if there is none in it."""
    notices = (_notice(record) for record in read_records(query, content_type, body))
    return [notice for notice in notices if notice]


def _notice(record: Record) -> ParsedNotice | None:
    """A record is a DN if it has two of: what happened, to which number, to which message."""
    found = {name: _first(record, keys) for name, keys in DN_FIELDS.items()}
    if sum(map(bool, (found["status"] or found["code"], found["msisdn"], found["msgid"]))) < 2:
        return None
    code = parse_code(found["code"])
    return ParsedNotice(
        status=found["status"].upper()[:32],
        code="" if code is None else str(code)[:16],
        msisdn=found["msisdn"][:32],
        msgid=found["msgid"][:120],
    )


def read_mos(
    query: bytes, content_type: str, body: bytes, field_map: Mapping[str, str] | None = None
) -> list[ParsedMO]:
    """Every MO in a call. `field_map` names fields before the usual names: {"sender": "customer", "text": "isi"}.

    Its `default_channel` is the channel of MOs that do not name theirs.
    """
    keys = _mo_keys(field_map or {})
    usual = _channel(text_of((field_map or {}).get("default_channel", ""))) or Channel.WHATSAPP
    mos = (_mo(record, keys, usual) for record in read_records(query, content_type, body))
    return [mo for mo in mos if mo]


def _mo_keys(field_map: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    named = {name: text_of(words) for name, words in field_map.items()}
    return {
        name: tuple(plain_key(word) for word in f"{named.get(name, '')} {usual}".replace(",", " ").split())
        for name, usual in MO_FIELDS.items()
    }


def _mo(record: Record, keys: Mapping[str, Sequence[str]], usual_channel: Channel) -> ParsedMO | None:
    sender, text, media = _first(record, keys["sender"]), _text(record, keys["text"]), _media(record, keys)
    if not sender or not (text or media):
        return None
    scheme = SCHEME.match(sender)
    return ParsedMO(
        sender=_address(sender),
        text=text,
        receiver=_address(_first(record, keys["receiver"])),
        id=_short(_first(record, keys["id"])),
        at=_time(record, keys["time"]),
        channel=_channel(_first(record, keys["channel"])) or _channel(scheme[1] if scheme else "") or usual_channel,
        media=media,
    )


def _first(record: Record, keys: Sequence[str]) -> str:
    """The first of these fields that says something."""
    return next((text for key in keys if (text := text_of(record.get(key)))), "")


def _text(record: Record, keys: Sequence[str]) -> str:
    """Also {"text": {"body": "Hi"}}."""
    nested = (record[key] for key in keys if isinstance(record.get(key), dict))
    return _first(record, keys) or next(
        (text for inner in nested if (text := _first({plain_key(key): inner[key] for key in inner}, keys))), ""
    )


def _media(record: Record, keys: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """Each attachment with its address or file name, and its type if there is one."""
    about = {name: _first(record, keys[name]) for name in ("type", "filename")}
    found = [item for key in keys["media"] for item in _attachments(record.get(key))]
    return [{name: text for name, text in (about | item).items() if text} for item in found]


def _attachments(value: Any) -> list[dict[str, str]]:
    found = (_attachment(item) for item in (value if isinstance(value, list) else [value]))
    return [attachment for attachment in found if attachment]


def _attachment(value: Any) -> dict[str, str]:
    if isinstance(value, dict):
        plain = {plain_key(key): text_of(inner) for key, inner in value.items()}
        address = plain.get("url") or plain.get("link") or plain.get("mediaurl") or ""
        kind = plain.get("mimetype") or plain.get("type", "")
        return {"url": address, "type": kind, "filename": plain.get("filename", "")} if address else {}
    text = text_of(value)
    return {"url" if "://" in text else "filename": text} if text else {}


def _address(text: str) -> str:
    return SCHEME.sub("", text, count=1).strip().removeprefix("//").lstrip("+").strip()


def _short(provider_id: str) -> str:
    """An id that fits its column; a longer one stays itself by its hash."""
    return provider_id if len(provider_id) <= LONGEST_ID else hashlib.sha256(provider_id.encode()).hexdigest()


def _channel(word: str) -> Channel | None:
    try:
        return Channel(word.lower())
    except ValueError:
        return None


def _time(record: Record, keys: Sequence[str]) -> datetime | None:
    """The first field that is a moment; a day alone or a clock alone is none, but both together are."""
    texts = [text for key in keys if (text := text_of(record.get(key)))]
    both = [f"{day} {clock}" for day in texts for clock in texts if day != clock] if len(texts) == 2 else []
    moments = (read_time(text) for text in [*texts, *both])
    return next((moment for moment in moments if moment), None)

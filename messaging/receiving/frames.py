"""How a call is written into a spool file: a length, a checksum, and what they are of. Pure.

A frame that breaks off belongs to a call that was never answered; one whose checksum is wrong was damaged later.
"""

import hashlib
import json
import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from messaging.receiving.call import Call

MAGIC = b"SWB1"
FRAME = struct.Struct("!4sI16s")  # magic, bytes that follow, their BLAKE2b
HEAD = struct.Struct("!I")  # bytes of JSON; the query and the body follow it
LARGEST = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Spooled:
    """A call and when it was received, on the database's clock as far as the process knew it."""

    call: Call
    received_at: datetime


def encode(spooled: Spooled) -> bytes:
    call = spooled.call
    head = json.dumps(
        {
            "id": call.id.hex,
            "at": spooled.received_at.isoformat(),
            "kind": call.kind,
            "method": call.method,
            "content_type": call.content_type,
            "truncated": call.truncated,
            "peer": call.peer,
            "token": call.token.hex(),
            "query": len(call.query),
        }
    ).encode()
    content = HEAD.pack(len(head)) + head + call.query + call.body
    return FRAME.pack(MAGIC, len(content), _checksum(content)) + content


def read_frames(file: BinaryIO) -> Iterator[Spooled | None]:
    """Every whole frame from where the file stands; None for a damaged one. Ends at one that is not all there."""
    while True:
        begin = file.tell()
        header = file.read(FRAME.size)
        if len(header) < FRAME.size:
            break
        magic, length, checksum = FRAME.unpack(header)
        if magic != MAGIC or length > LARGEST:
            yield None
            break
        content = file.read(length)
        if len(content) < length:
            break
        yield _decode(content) if _checksum(content) == checksum else None
    file.seek(begin)  # so that whoever reads on later begins at a frame


def _decode(content: bytes) -> Spooled:
    (length,) = HEAD.unpack_from(content)
    begin = HEAD.size + length
    head = json.loads(content[HEAD.size : begin])
    middle = begin + head["query"]
    call = Call(
        kind=head["kind"],
        method=head["method"],
        query=content[begin:middle],
        content_type=head["content_type"],
        body=content[middle:],
        truncated=head["truncated"],
        peer=head["peer"],
        token=bytes.fromhex(head["token"]),
        id=uuid.UUID(head["id"]),
    )
    return Spooled(call, datetime.fromisoformat(head["at"]))


def _checksum(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=16).digest()

"""The bytes of a call, as many as we keep."""

from typing import Any

from django.http import HttpRequest

BLOCK = 64 * 1024
READ_AT_MOST = 10 * 1024 * 1024 + 1  # beyond what is kept: a caller who is still writing would not see our answer


def read_head(request: HttpRequest, limit: int) -> tuple[bytes, bool]:
    """The first `limit` bytes, and whether there was more, or the body broke off. Never raises."""
    stream, kept, seen = _stream(request), bytearray(), 0
    try:
        while seen < READ_AT_MOST and (block := stream.read(min(BLOCK, READ_AT_MOST - seen))):
            seen += len(block)
            kept += block[: limit - len(kept)]
    except Exception:  # noqa: BLE001  servers' errors for a broken chunk or a caller who left share no base class
        return bytes(kept), True
    return bytes(kept), seen > limit or seen < _declared(request)


def _declared(request: HttpRequest) -> int:
    """How long the caller said that the body is, as far as we would read."""
    length = str(request.META.get("CONTENT_LENGTH") or "")
    return min(int(length), READ_AT_MOST) if length.isascii() and length.isdigit() and len(length) < 20 else 0


def _stream(request: HttpRequest) -> Any:
    """Django shows a chunked body as empty, but the server beneath knows where it ends."""
    if not request.META.get("CONTENT_LENGTH") and request.META.get("wsgi.input_terminated"):
        return request.META["wsgi.input"]
    return request

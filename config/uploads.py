"""Which bodies with files are read at all. Django reads one as soon as it looks for the CSRF token in it."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadhandler import FileUploadHandler
from django.urls import reverse

AROUND_THE_FILE = 64 * 1024  # bytes of a form's other fields and headers


class ImportsOnly(FileUploadHandler):
    """First of the handlers: a large body is a file of people from somebody who has signed in, or nobody reads it.

    A body that names no length is none to Django.
    """

    def handle_raw_input(self, input_data: Any, meta: dict[str, Any], content_length: int, *_more: Any) -> None:
        """Raises RequestDataTooBig before a byte is kept."""
        if content_length > self._limit():
            raise RequestDataTooBig(f"{content_length} bytes")

    def _limit(self) -> int:
        request = self.request
        is_import = request is not None and request.path == reverse("contact_import")
        if is_import and SESSION_KEY in getattr(request, "session", {}):
            return settings.IMPORT_MAX_BYTES + AROUND_THE_FILE
        return settings.DATA_UPLOAD_MAX_MEMORY_SIZE

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None

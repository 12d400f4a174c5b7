"""WSGI entry point: `gunicorn config.wsgi`."""

import os
from typing import Any

import django
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")


class TolerantRequest(WSGIRequest):
    """A request whose content type nobody can read has none, where Django would answer 500 before any of our code."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            super()._set_content_type_params(meta)  # type: ignore[misc]
        except ValueError:
            self.content_type, self.content_params = "", {}


class TolerantHandler(WSGIHandler):
    request_class = TolerantRequest


django.setup(set_prefix=False)
application = TolerantHandler()

from messaging import receiving  # noqa: E402 - models are not loaded before

receiving.keep_draining()

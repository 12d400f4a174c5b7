"""A signed-in browser inside the process: what it asks goes through the whole WSGI application, and no socket."""

import io
import logging
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from importlib import import_module
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User

from config.wsgi import application

CSRF = "b" * 32


@dataclass(frozen=True)
class Ask:
    """One request. `part` asks as htmx does, for the element `target`; `form` is posted; `cold` finds no cache."""

    path: str
    part: bool = False
    target: str = ""
    form: dict[str, Any] | None = None
    status: int = 200
    cold: bool = False


@dataclass
class Browser:
    user: User
    cookies: SimpleCookie = field(default_factory=SimpleCookie)

    def __post_init__(self) -> None:
        logging.getLogger("http").setLevel(logging.WARNING)  # no line a request
        session = import_module(settings.SESSION_ENGINE).SessionStore()
        session[SESSION_KEY], session[BACKEND_SESSION_KEY] = str(self.user.pk), settings.AUTHENTICATION_BACKENDS[0]
        session[HASH_SESSION_KEY] = self.user.get_session_auth_hash()
        session.save()
        self.cookies[settings.SESSION_COOKIE_NAME], self.cookies["csrftoken"] = session.session_key, CSRF

    def ask(self, ask: Ask) -> bytes:
        """The whole answer; raises unless it has the status that was expected."""
        said: list[str] = []
        answer = application(self._environ(ask), lambda status, _headers: said.append(status))
        try:
            body = b"".join(answer)
        finally:
            answer.close()
        if not said[0].startswith(str(ask.status)):
            raise RuntimeError(f"{ask.path} answered {said[0]}")
        return body

    def _environ(self, ask: Ask) -> dict[str, Any]:
        path, _mark, query = ask.path.partition("?")
        body = urlencode(ask.form or {}, doseq=True).encode()
        return {
            "REQUEST_METHOD": "GET" if ask.form is None else "POST",
            "PATH_INFO": path,
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "localhost",
            "HTTP_COOKIE": "; ".join(f"{one.key}={one.value}" for one in self.cookies.values()),
            "HTTP_X_CSRFTOKEN": CSRF,
            **(self._by_htmx(ask, path) if ask.part else {}),
            "CONTENT_TYPE": "application/x-www-form-urlencoded" if ask.form is not None else "",
            "CONTENT_LENGTH": str(len(body)),
            "REMOTE_ADDR": "127.0.0.1",
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.errors": io.StringIO(),
            "wsgi.multithread": True,
            "wsgi.multiprocess": True,
            "wsgi.run_once": False,
        }

    def _by_htmx(self, ask: Ask, path: str) -> dict[str, str]:
        page = {"HTTP_HX_REQUEST": "true", "HTTP_HX_CURRENT_URL": f"http://localhost{path}"}
        return page | ({"HTTP_HX_TARGET": ask.target} if ask.target else {})

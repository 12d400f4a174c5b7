"""A member of staff who looks at pages of the running web server, and how long each took."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice

import requests
from django.conf import settings
from django.test import Client
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from tests.chaos.rig import Rig
from tests.factories import make_user

WARM = 10  # rounds: each web process imports its pages with its first request


class Reader:
    def __init__(self, rig: Rig, paths: Sequence[str]) -> None:
        signed_in = Client()
        signed_in.force_login(make_user("reader", role="admin"))
        self._rig, self._paths, self._turn = rig, paths, 0
        self._http = requests.Session()
        self._http.trust_env = False
        # As a browser does: a kept connection may be closed by the server just when the next page is asked for.
        self._http.mount("http://", HTTPAdapter(max_retries=Retry(1, connect=0)))
        self._http.cookies[settings.SESSION_COOKIE_NAME] = signed_in.cookies[settings.SESSION_COOKIE_NAME].value
        self.ms: list[float] = []
        self.errors: list[str] = []
        for _ in range(WARM * len(paths)):
            self.look()
        self.forget()

    def look(self) -> None:
        """The next page in turn."""
        path = self._paths[self._turn % len(self._paths)]
        self._turn += 1
        began = time.monotonic()
        try:
            status = self._http.get(self._rig.url + path, timeout=60, allow_redirects=False).status_code
        except requests.RequestException as error:
            self.errors.append(f"{path}: {type(error).__name__}")
            return
        self.ms.append((time.monotonic() - began) * 1000)
        if status != requests.codes.ok:
            self.errors.append(f"{path}: {status}")

    def crowd(self, looks: int, *, at_once: int) -> None:
        """So many pages, unmeasured, `at_once` in flight: every thread of the web takes its memory for them."""
        with ThreadPoolExecutor(at_once) as crowd:
            paths = islice(cycle(self._paths), looks)
            for _ in crowd.map(lambda path: self._http.get(self._rig.url + path, timeout=60), paths):
                pass

    def forget(self) -> list[float]:
        """What was measured until now."""
        measured, self.ms, self.errors = self.ms, [], []
        return measured


def percentile(values: Sequence[float], share: float) -> float:
    """What this share of the values does not exceed; 0 if there are none."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else 0.0

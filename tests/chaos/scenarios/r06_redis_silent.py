"""Redis takes connections and is silent for 60 s: hooks and pages answer, sending resumes within 10 s of its return."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import requests

from messaging.models import Connection
from tests.chaos.pulse import Pulse
from tests.chaos.rig import Rig

PEOPLE, A_SECOND, SILENT_S, RESUMES_S = 4_000, 30, 60, 10
WARM = 10
PATHS = ("/accounts/login/", "/readyz")


def run(rig: Rig) -> dict[str, Any]:
    people, silent_s = rig.size(PEOPLE), max(12.0, SILENT_S * rig.scale)
    Connection.objects.update(rate_per_s=max(3, min(A_SECOND, round(people / (silent_s * 2)))))
    campaign = rig.campaign(people)
    wire = rig.wire(f"{rig.broker.server.sockets}/valkey.sock")
    url = {"REDIS_URL": f"redis://{wire.address}/0"}
    rig.web(**url)
    rig.celery("send", **url)
    rig.celery("digest,house", **url)
    rig.beat(**url)
    rig.until(lambda: rig.sandbox.accepted() > 0, seconds=60, what="the first is sent")
    pulse = Pulse(rig)
    Calls(rig).warm_up()
    with _calling(rig) as calls:
        wire.rule(black_hole=True)
        rig.until(_after(silent_s, pulse), seconds=silent_s + 30, what="the silence ends")
        wire.rule(black_hole=False)
        in_silence, back, resumed = pulse.longest_pause_s, time.monotonic(), rig.sandbox.accepted()
        rig.until(lambda: rig.sandbox.accepted() > resumed, seconds=60, what="sending resumes")
        after_s = time.monotonic() - back
    rig.finish(campaign, seconds=300)
    rig.expect(after_s <= RESUMES_S, f"sending resumed {after_s:.1f} s after Redis was back")
    rig.expect(not calls.errors, f"errors: {calls.errors[:3]}")
    figures = {
        "silent_s": silent_s,
        "longest_pause_in_it_s": round(in_silence, 1),
        "resumed_after_s": round(after_s, 1),
    }
    return figures | calls.figures | rig.verdict(campaign, unknown_at_most=0).figures


def _after(seconds: float, pulse: Pulse) -> Any:
    until = time.monotonic() + seconds

    def over() -> bool:
        pulse.look()
        return time.monotonic() > until

    return over


class Calls:
    """What the web process answered, and how quickly."""

    def __init__(self, rig: Rig) -> None:
        self._rig, self.errors, self.took = rig, [], []

    def warm_up(self) -> None:
        """Each web process imports its pages with its first request."""
        for _ in range(WARM):
            self.round()

    def round(self) -> None:
        for path in PATHS:
            self._note(path, lambda path=path: requests.get(self._rig.url + path, timeout=20))
        dn = {"status": "SENT", "msisdn": "60123", "msgid": "none-0"}
        self._note("hook", lambda: requests.post(self._rig.hooks()["dn"], data=dn, timeout=20), hook=True)

    def _note(self, what: str, call: Any, *, hook: bool = False) -> None:
        began = time.monotonic()
        try:
            status = call().status_code
        except requests.RequestException as error:
            status = type(error).__name__
        if status != 200:
            self.errors.append(f"{what}: {status}")
        if hook:
            self.took.append(time.monotonic() - began)

    @property
    def figures(self) -> dict[str, Any]:
        slowest = sorted(self.took)[max(0, int(len(self.took) * 0.99) - 1)] if self.took else 0.0
        return {"calls": len(self.took), "errors": len(self.errors), "hook_p99_ms": round(slowest * 1000)}


@contextmanager
def _calling(rig: Rig) -> Iterator[Calls]:
    """Somebody uses the pages and the hooks all the while."""
    calls, stop = Calls(rig), Event()

    def go_on() -> None:
        while not stop.wait(0.2):
            calls.round()

    thread = Thread(target=go_on)
    thread.start()
    try:
        yield calls
    finally:
        stop.set()
        thread.join()

"""A steady load on a door from one light process (bench.caller): a call has a due time and is late from then on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

STREAMS = 64  # kept connections, a thread each
HEAD = "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@dataclass(frozen=True)
class Load:
    """What the caller saw of its first `len(ms)` calls; `trouble` is the first answer that was no success."""

    ms: list[float]
    trouble: str

    def at(self, share: float) -> float:
        """Milliseconds that this share of the calls took at most."""
        return sorted(self.ms)[min(len(self.ms) - 1, int(len(self.ms) * share))]


def post(url: str, bodies: Sequence[bytes], *, per_s: float) -> Load:
    """These bodies once each in their order, `per_s` a second; a stream may end before its turn at the last few."""
    to = urlsplit(url)
    head = HEAD.format(path=to.path)
    seconds = (len(bodies) - STREAMS - 1) / per_s  # until then each stream takes one more
    argv = [sys.executable, "-m", "bench.caller", to.hostname, to.port, STREAMS, seconds, per_s]
    work = "".join(
        json.dumps(f"{head}Content-Length: {len(body)}\r\n\r\n{body.decode('latin-1')}") + "\n" for body in bodies
    )
    done = subprocess.run(list(map(str, argv)), input=work, capture_output=True, text=True, check=False)
    ms = json.loads(done.stdout or "[]")
    assert len(ms) <= len(bodies)
    return Load(ms, done.stderr.strip() if done.returncode else "")

"""A fault proxy as the rig steers it."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

from config.launch import process
from tests.chaos import children


class Wire:
    """A running proxy: clients connect to `address`; see proxy.Rules for what can befall them."""

    def __init__(self, upstream: str, *, log: Path) -> None:
        self.child = children.python("proxy", "-m", "tests.chaos.proxy", upstream, log=log, env=os.environ)
        if not process.wait(lambda: log.is_file() and log.read_text().endswith("\n"), 60):
            raise RuntimeError("the proxy did not start")
        self.port, control = map(int, log.read_text().split())
        self.address = f"127.0.0.1:{self.port}"
        self._control = socket.create_connection(("127.0.0.1", control), timeout=30)
        self._answers = self._control.makefile("r")

    def rule(self, **order: Any) -> dict[str, int]:
        """Change rules; what has passed so far."""
        self._control.sendall(json.dumps(order).encode() + b"\n")
        return json.loads(self._answers.readline())

    def reset(self) -> None:
        """End all connections that are open now."""
        self.rule(do="reset")

    def stop(self) -> None:
        self.child.kill()
        self._control.close()

"""The provider's twin as the rig runs it: its faults, its ledger, and its port that outlives a restart."""

from __future__ import annotations

import os
import socket
from collections import Counter
from pathlib import Path
from typing import Any

import requests

from config.launch import process
from tests.chaos import children
from tests.chaos.children import Child

KEY, SECRET = "chaos-key", "chaos-secret"


class Sandbox:
    def __init__(self, home: Path) -> None:
        self._home, self._listening = home, socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.address = f"127.0.0.1:{self._listening.getsockname()[1]}"
        self.url = f"http://{self.address}"
        self.http = requests.Session()
        self.http.trust_env = False
        self.child: Child | None = None

    def start(self) -> None:
        argv = ["-m", "messaging.providers.sandbox", "--fd", str(self._listening.fileno()), "--home", str(self._home)]
        env = os.environ | {"SANDBOX_APP_KEY": KEY, "SANDBOX_APP_SECRET": SECRET}
        log = self._home.with_suffix(".log")
        self.child = children.python("sandbox", *argv, log=log, env=env, fds=[self._listening.fileno()])
        if not process.wait(self._answers, 60):
            raise RuntimeError(f"the sandbox did not start: {log.read_text()[-2000:]}")

    def stop(self) -> None:
        if self.child:
            self.child.kill()
        self._listening.close()

    def _answers(self) -> bool:
        try:
            return self.http.get(f"{self.url}/healthz", timeout=5).ok
        except requests.RequestException:
            return False

    def tell(self, what: str, **body: Any) -> None:
        """One of its controls: faults, dn, balance, templates, accounts, mo, reset."""
        answer = self.http.post(f"{self.url}/sandbox/{what}", json=body, timeout=60)
        assert answer.json() == {"ok": True}, answer.text

    def faults(self, *faults: dict[str, Any]) -> None:
        self.tell("faults", faults=list(faults))

    def account(self, **changes: Any) -> None:
        self.tell("accounts", user=KEY, **changes)

    def accepted(self) -> int:
        """Recipients so far."""
        return self.state()["recipients"]

    def calls(self) -> int:
        """Send calls since the faults were set, refused ones too."""
        return self.state()["send_calls"]

    def state(self) -> dict[str, Any]:
        return self.http.get(f"{self.url}/sandbox/state", timeout=60).json()

    def ledger(self) -> list[dict[str, Any]]:
        """Every recipient that it took, in order: the ground truth."""
        entries: list[dict[str, Any]] = []
        after: int | None = 0
        while after is not None:
            page = self.http.get(f"{self.url}/sandbox/ledger", params={"after": after}, timeout=60).json()
            entries += page["entries"]
            after = page["next"]
        return entries

    def counts(self) -> Counter[str]:
        return Counter(entry["msisdn"] for entry in self.ledger())

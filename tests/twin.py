"""The provider's twin as a process of its own, for tests that need a provider."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

READY = "Sandbox is ready at "


class Twin:
    """A running twin's address, its account and its controls."""

    user, secret = "twin-key", "twin-secret"

    def __init__(self, url: str) -> None:
        self.url = url

    def set(self, what: str, **body: Any) -> None:
        """POST to one of its controls: faults, dn, balance, templates, accounts, mo, reset."""
        requests.post(f"{self.url}/sandbox/{what}", json=body, timeout=5).raise_for_status()

    def state(self) -> dict[str, Any]:
        return requests.get(f"{self.url}/sandbox/state", timeout=5).json()

    def ledger(self) -> list[dict[str, Any]]:
        entries, after = [], 0
        while True:
            page = requests.get(f"{self.url}/sandbox/ledger", params={"after": after}, timeout=5).json()
            entries += page["entries"]
            if not page["entries"]:
                return entries
            after = page["entries"][-1]["seq"]


@contextmanager
def running_twin(home: Path) -> Iterator[Twin]:
    """A twin on a free port; its journal stays in `home`."""
    command = [sys.executable, "-m", "messaging.providers.sandbox", "--port", "0", "--home", str(home)]
    command += ["--user", Twin.user, "--secret", Twin.secret]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            line = process.stdout.readline().strip()
            assert line.startswith(READY), line
            yield Twin(line.removeprefix(READY))
        finally:
            process.terminate()
            process.wait(10)

"""The provider's twin as a process of its own, for tests that need a provider."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

ROOT = Path(__file__).resolve().parents[1]
READY = "Sandbox is ready at "
USER, SECRET = "key-of-tests", "secret-of-tests"
SEND, BALANCE = "/gw/bulk360/v3_0/send.php", "/api/balance/v3_0/getBalance"
AMINAH, FARID, MEI = "60123240066", "60102200533", "60166600267"
TEMPLATE = "Hello {{name}}, your parcel is here."
APPROVED = "Hello Aminah, your parcel is here."


class Twin:
    """A running twin's address, its account and its controls; `options` are its command's, --port 0 by default."""

    def __init__(self, home: Path, *options: str, user: str = USER, secret: str = SECRET) -> None:
        self.home, self.user, self.secret = home, user, secret
        command = [sys.executable, "-m", "messaging.providers.sandbox", "--home", str(home)]
        secrets = {"SANDBOX_APP_KEY": user, "SANDBOX_APP_SECRET": secret}
        self.process = subprocess.Popen(
            [*command, *(options or ("--port", "0"))],
            cwd=ROOT,
            env=os.environ | secrets,
            stdout=subprocess.PIPE,
            text=True,
            pass_fds=[int(options[1])] if options[:1] == ("--fd",) else [],
        )
        assert self.process.stdout
        said = self.process.stdout.readline()
        assert said.startswith(READY), said
        self.url = said.removeprefix(READY).strip()
        self.port = urlsplit(self.url).port
        self.http = requests.Session()
        self.http.trust_env = False

    def send(self, *, to: str = f"whatsapp:{AMINAH}", text: str = APPROVED, **others: str) -> dict[str, Any]:
        return self.post_form({"user": self.user, "pass": self.secret, "to": to, "text": text, **others}).json()

    def post_form(self, form: dict[str, str], *, timeout: float = 30) -> requests.Response:
        return self.http.post(self.url + SEND, data=form, timeout=timeout)

    def get(self, path: str, **params: Any) -> requests.Response:
        return self.http.get(self.url + path, params=params, timeout=30)

    def control(self, name: str, **body: Any) -> None:
        """POST to one of its controls: faults, dn, balance, templates, accounts, mo, reset."""
        answer = self.http.post(f"{self.url}/sandbox/{name}", json=body, timeout=30)
        assert answer.json() == {"ok": True}, answer.text

    def refused(self, name: str, body: Any) -> str:
        answer = self.http.post(f"{self.url}/sandbox/{name}", json=body, timeout=30)
        assert answer.status_code == 400, answer.text
        return answer.json()["error"]

    def faults(self, *faults: dict[str, Any]) -> None:
        self.control("faults", faults=list(faults))

    def ledger(self) -> list[dict[str, Any]]:
        entries, after = [], 0
        while after is not None:
            page = self.get("/sandbox/ledger", after=after).json()
            entries, after = entries + page["entries"], page["next"]
        return entries

    def state(self) -> dict[str, Any]:
        return self.get("/sandbox/state").json()

    def balance(self) -> str:
        return self.get(BALANCE, user=self.user, **{"pass": self.secret}).json()["description"]["balance"]

    def end(self, number: int = signal.SIGTERM) -> int:
        self.http.close()
        self.process.send_signal(number)
        code = self.process.wait(timeout=20)
        self.process.stdout.close()
        return code


@contextmanager
def running_twin(home: Path, *options: str, **account: str) -> Iterator[Twin]:
    """A twin until the block ends; its journal stays in `home`."""
    twin = Twin(home, *options, **account)
    try:
        yield twin
    finally:
        if twin.process.poll() is None:
            twin.end()

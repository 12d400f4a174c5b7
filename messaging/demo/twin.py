"""The controls of the provider's twin that the demo uses (interfaces.md, Sandbox)."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import requests

from messaging.models import Connection

TIMEOUT_S = (1, 10)  # to connect, to answer


class Twin:
    """Raises requests.RequestException where the twin does not answer 200."""

    def __init__(self, connection: Connection) -> None:
        self.user = connection.app_key
        self._url = f"{connection.base_url.rstrip('/')}/sandbox"
        self._session = requests.Session()
        self._session.trust_env = False

    def state(self) -> dict[str, Any]:
        return self._ask("GET", "state")

    def ledger(self, after: int) -> Iterator[dict[str, Any]]:
        """Every recipient that the twin accepted for our account since that number in its ledger."""
        while True:
            page = self._ask("GET", "ledger", params={"after": after})
            yield from (entry for entry in page["entries"] if entry["user"] == self.user)
            if page["next"] is None:
                return
            after = page["next"]

    def windows(self) -> int:
        """How many people ever wrote to our account."""
        return sum(account["windows"] for account in self.state()["accounts"] if account["user"] == self.user)

    def write_in(self, msisdn: str, text: str, *, at: datetime | None = None, moid: str | None = None) -> None:
        """Let somebody write to us, now or at that time, which opens their window."""
        when = at.isoformat() if at else None
        self._ask("POST", "mo", json={"user": self.user, "msisdn": msisdn, "text": text, "at": when, "id": moid})

    def _ask(self, method: str, what: str, **body: Any) -> dict[str, Any]:
        answer = self._session.request(method, f"{self._url}/{what}", timeout=TIMEOUT_S, allow_redirects=False, **body)
        answer.raise_for_status()
        return answer.json()

"""A system with an API key: single messages over REST, each with an Idempotency-Key and repeated until it is taken."""

from __future__ import annotations

import time
from dataclasses import dataclass

import requests

from messaging import clients
from messaging.clock import db_now
from messaging.models import Scope
from tests.chaos.rig import Rig
from tests.factories import make_user

ACCEPTED, RATE_PER_MINUTE = 202, 100_000
FIRST_NUMBER = 60179_000_000  # nobody else's
PATIENCE_S = 60


@dataclass(frozen=True)
class Single:
    """One message: when it was asked for first, by the clock on the wall."""

    msisdn: str
    text: str
    asked_at: float


class Client:
    def __init__(self, rig: Rig) -> None:
        owner = make_user("owner", role="admin")
        client = clients.create_client(
            name="Parcels", scopes=[Scope.SEND], owner=owner, user=owner, now=db_now(), live=False,
            rate_per_minute=RATE_PER_MINUTE,
        )  # fmt: skip
        key = clients.add_key(client=client, user=owner, now=db_now())
        self._url = rig.url + "/api/v1/messages"
        self._http = requests.Session()
        self._http.trust_env = False
        self._http.headers["Authorization"] = f"Bearer {key}"
        self.asked: list[Single] = []
        self.repeats = 0

    def send(self) -> None:
        """The next one. Raises TimeoutError if nobody takes it within a minute."""
        number = len(self.asked)
        single = Single(str(FIRST_NUMBER + number), f"Your code is {number:06}.", time.time())
        said = {"to": single.msisdn, "text": single.text, "channel": "sms"}
        until = time.monotonic() + PATIENCE_S
        while not self._taken(said, f"chaos-single-{number}"):
            if time.monotonic() > until:
                raise TimeoutError(f"nobody took {single.text!r}")
            self.repeats += 1
            time.sleep(0.5)
        self.asked.append(single)

    def _taken(self, said: dict[str, str], key: str) -> bool:
        try:
            answer = self._http.post(self._url, json=said, headers={"Idempotency-Key": key}, timeout=30)
        except requests.RequestException:
            return False
        if 400 <= answer.status_code < 500 and answer.status_code != requests.codes.conflict:
            raise RuntimeError(f"a single message: {answer.status_code} {answer.text[:200]}")
        return answer.status_code == ACCEPTED

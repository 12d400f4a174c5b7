"""What goes on in a house on any day, at a moderate steady rate; each part knows what must have come of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from django.conf import settings

from config.launch import process
from config.launch.stack import RECEIVERS_BESIDE
from contacts.addresses import address_hmac
from contacts.models import Suppression
from messaging.clock import db_now
from messaging.models import Campaign, EventType, Message, OutboxEvent, WebhookDelivery
from messaging.webhooks import create_endpoint
from tests.chaos import checker
from tests.chaos.checker import Verdict
from tests.chaos.clients import Client
from tests.chaos.reader import Reader
from tests.chaos.rig import PERSONAL, Rig
from tests.factories import make_user

PAGES = ("/", "/campaigns/", "/conversations/", "/contacts/", "/unknowns/", "/connections/")
EACH = 300  # people of a campaign
OURS = PERSONAL.partition("{")[0]  # how the campaigns' texts begin


class Everyday:
    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.campaigns: list[Campaign] = []
        self.answers: list[str] = []
        self._stopped: set[str] = set()
        self.webhooks = Webhooks(rig)
        self.client = Client(rig)
        self.reader = Reader(rig, PAGES)

    def campaign(self) -> None:
        """The next one, once everybody of the last is settled."""
        if not (self.campaigns and Message.objects.filter(campaign=self.campaigns[-1]).passing().exists()):
            self.campaigns.append(self._rig.campaign(EACH))

    def answer(self) -> None:
        """Somebody who got a message writes back."""
        text = f"Thank you, see you then. ({len(self.answers)})"
        self._rig.sandbox.tell("mo", msisdn=self._somebody(), text=text)
        self.answers.append(text)

    def stop(self) -> None:
        """Somebody of the running campaign has had enough."""
        msisdn = self._somebody()
        if msisdn not in self._stopped:
            self._stopped.add(msisdn)
            self._rig.sandbox.tell("mo", msisdn=msisdn, text="STOP")

    def _somebody(self) -> str:
        rows = Message.objects.filter(campaign=self.campaigns[-1]).values_list("contact__msisdn", flat=True)
        return self._rig.chance.choice(list(rows))

    def examine(self) -> tuple[Verdict, dict[str, int]]:
        """The campaigns' verdict, and what is wrong with the rest."""
        ledger = self._rig.sandbox.ledger()
        verdict = self._rig.verdict(self.campaigns, only=lambda line: line["text"].startswith(OURS))
        return verdict, {
            **_singles(self.client, ledger),
            "answers_lost_or_doubled": _uneven(self.answers),
            "stops_without_effect": len(self._stopped) - _suppressed(self._stopped),
            **self.webhooks.examine(),
        }


class Webhooks:
    """A subscriber of everything, and its ledger."""

    def __init__(self, rig: Rig) -> None:
        self._ledger: Path = rig.servers.home / "received"
        settings.WEBHOOKS_ALLOW_HTTP, settings.WEBHOOKS_PORTS = True, []
        settings.WEBHOOKS_ALLOWED_NETWORKS = ["127.0.0.0/8"]
        log = rig.servers.home / "receiver.log"
        rig.python("receiver", "-m", "tests.chaos.receiver", str(self._ledger))
        process.wait(lambda: log.is_file() and log.read_text().endswith("\n"), 60)
        url = f"http://127.0.0.1:{log.read_text().strip()}/"
        create_endpoint(url=url, event_types=EventType.values, owner=make_user(), now=db_now())
        rig.celery("webhooks", **RECEIVERS_BESIDE)

    @property
    def waiting(self) -> bool:
        return WebhookDelivery.objects.filter(state=WebhookDelivery.State.WAITING).exists()

    def received(self) -> Counter[str]:
        return Counter(self._ledger.read_text().split() if self._ledger.is_file() else [])

    def examine(self) -> dict[str, int]:
        events = {str(public_id) for public_id in OutboxEvent.objects.values_list("public_id", flat=True)}
        return {"events_never_told": len(events - self.received().keys())}


def _singles(client: Client, ledger: list[dict[str, Any]]) -> dict[str, int]:
    """Each that was taken is a row, and what its row says is what the provider has."""
    numbers, texts = {one.msisdn for one in client.asked}, {one.text for one in client.asked}
    rows = Message.objects.filter(contact__msisdn__in=numbers, campaign=None, direction=Message.Direction.MT)
    states = dict(rows.values_list("contact__msisdn", "send_state"))
    verdict = Verdict(people=len(numbers))
    checker.count(verdict, states, Counter(line["msisdn"] for line in ledger if line["text"] in texts))
    return {
        "singles_without_row": len(numbers) - rows.count(),
        "singles_doubled": verdict.doubled,
        "singles_lost": verdict.lost + verdict.lied,
    }


def _uneven(texts: list[str]) -> int:
    """Answers that are not in the timeline exactly once."""
    found = Counter(Message.objects.mos().filter(body__in=texts).values_list("body", flat=True))
    return sum(found[text] != 1 for text in texts)


def _suppressed(numbers: set[str]) -> int:
    return Suppression.objects.filter(address_hmac__in=[address_hmac(one) for one in numbers]).count()

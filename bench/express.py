"""How long a single message waits while a large campaign is sent: from its row to the provider."""

from __future__ import annotations

import time

from bench import sink
from bench.figures import note
from bench.house import House, states, workers
from contacts.models import Contact
from messaging import nudges
from messaging.clock import db_now
from messaging.models import Campaign, Message

PEOPLE = 200_000
SINGLES, EVERY_S = 100, 0.3
SETTLE_S = 10.0
FIRST_SINGLE = 60179_000_000


def run(*, runs: int, people: int) -> None:
    """Print the median and the 99th percentile, all of them measured before the campaign's end."""
    with sink.running() as provider, workers():
        house = House(provider, people)
        for _ in range(runs):
            campaign = house.approved("The clinic opens at nine tomorrow.")
            house.launch(campaign)
            asked = _ask(house)
            time.sleep(SETTLE_S)
            came = {to: at for at, _, to in provider.arrivals()}
            waits = sorted(came.get(number, float("inf")) - at for number, at in asked.items())
            figures = {"p50": [waits[len(waits) // 2]], "p99": [waits[len(waits) * 99 // 100]]}
            note(f"single messages in a campaign of {people:,}", "s", figures)
            print(f"the campaign then: {states(campaign)}")
            Campaign.objects.filter(pk=campaign.pk).update(state=Campaign.State.PAUSED)


def _ask(house: House) -> dict[str, float]:
    """When each single message was asked for, by its number."""
    asked = {}
    for n in range(SINGLES):
        number = str(FIRST_SINGLE + Contact.objects.count())
        contact = Contact.objects.create(msisdn=number, name=f"Single {n}")
        Message.objects.create(
            contact=contact, connection=house.connection, channel="sms", body=f"Your code is {n:04}",
            send_state="queued", timeline_at=db_now(),
        )  # fmt: skip
        asked[number] = time.time()
        nudges.drain(house.connection.pk)
        time.sleep(EVERY_S)
    return asked

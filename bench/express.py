"""How long one message that another system asks for waits while a large campaign is sent: from its request over REST to
the provider.

Its baseline is the same request while nothing else is sent, with the same server and workers.
"""

from __future__ import annotations

import math
import time

import requests
from django.contrib.auth.models import User

from bench import serving, sink
from bench.figures import note
from bench.house import House, states, workers
from messaging import clients
from messaging.clock import db_now
from messaging.models import Campaign, Message, Scope

PEOPLE = 200_000
SINGLES, WARMING, EVERY_S = 100, 8, 0.3
SETTLE_S = 60.0
FIRST_SINGLE = 60179_000_000
AIM_S = 5.0  # at the 99th percentile


def run(*, runs: int, people: int) -> None:
    """Print the median and the 99th percentile of all runs; the campaign is under way until the last is asked for."""
    with sink.running() as provider, workers(), serving.server() as url:
        house, session = House(provider, people), _session()
        waits: dict[str, list[float]] = {"alone": [], "in the campaign": []}
        _waits(url, session, provider, WARMING)
        for _ in range(runs):
            waits["alone"] += _waits(url, session, provider)
            campaign = house.approved("The clinic opens at nine tomorrow.")
            house.launch(campaign)
            waits["in the campaign"] += _waits(url, session, provider)
            if not Message.objects.filter(campaign=campaign).passing().exists():
                raise RuntimeError("the campaign ended before the last single message was sent: it needs more people")
            print(f"the campaign then: {states(campaign)}")
            Campaign.objects.filter(pk=campaign.pk).update(state=Campaign.State.PAUSED)
    for when, of in waits.items():
        figures = {"p50": [_percentile(of, 50)], "p99": [_percentile(of, 99)]}
        note(f"single messages, {when}, {people:,} people", "s", figures)
    print(f"aim {AIM_S:g} s: {'met' if _percentile(waits['in the campaign'], 99) < AIM_S else 'not met'}")


def _session() -> requests.Session:
    """With a key that may ask as often as it likes."""
    owner, now = User.objects.create_superuser("express"), db_now()
    client = clients.create_client(
        name="Express", scopes=[Scope.SEND], owner=owner, user=owner, now=now, rate_per_minute=1_000_000
    )
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {clients.add_key(client=client, user=owner, now=now)}"
    return session


def _waits(url: str, session: requests.Session, provider: sink.Sink, singles: int = SINGLES) -> list[float]:
    """Of single messages asked for one by one; infinite for those that never came."""
    provider.arrivals()
    asked, first = {}, _next_number()
    for number in map(str, range(first, first + singles)):
        asked[number] = time.time()
        said = {"to": number, "text": "Your code is 2047.", "channel": "sms"}
        session.post(f"{url}/api/v1/messages", json=said, timeout=SETTLE_S).raise_for_status()
        time.sleep(EVERY_S)
    came: dict[str, float] = {}
    until = time.monotonic() + SETTLE_S
    while not asked.keys() <= came.keys() and time.monotonic() < until:
        came |= {to: at for at, _, to in provider.arrivals() if to in asked}
        time.sleep(0.2)
    return [came.get(number, math.inf) - at for number, at in asked.items()]


def _next_number() -> int:
    return FIRST_SINGLE + Message.objects.filter(campaign=None).count()


def _percentile(waits: list[float], percent: int) -> float:
    return sorted(waits)[min(len(waits) * percent // 100, len(waits) - 1)]

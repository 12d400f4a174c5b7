"""A campaign from launch to its last outcome on record, beside a plain `requests` sender with the same packing.

Both send to the same sink, in turn, with as many processes and connections. Ours goes the whole way: Celery worker,
rule and intent for each recipient, PostgreSQL with fsync, the outcome recorded.
"""

from __future__ import annotations

import time

from bench import cpu, plain, sink
from bench.figures import Pair, note
from bench.house import House, workers

PEOPLE = 14_000  # recipients a run with the same text; a quarter of them with a text of their own
TEXTS = {"identical text": "The clinic opens at nine tomorrow.", "personal text": "Dear {{name}}, see you at nine."}
LATENCIES_MS = (0, 50)


def run(*, runs: int, people: int) -> None:
    """Print recipients a second for both kinds of text, and what they cost in CPU time."""
    with sink.running() as provider, workers() as pid:
        house = House(provider, people)
        for latency in LATENCIES_MS:
            house.connection.send_path = provider.path(latency)
            house.connection.save()
            for name, text in TEXTS.items():
                _compare(f"campaign, {name}, {latency} ms", house, text, provider, pid, runs=runs)


def _compare(name: str, house: House, text: str, provider: sink.Sink, worker: int, *, runs: int) -> None:
    pair, server = Pair(name, "recipients/s"), cpu.postmaster()
    spent: dict[str, list[float]] = {"workers": [], "postgres": []}
    for _ in range(runs):
        pair.baseline.append(plain.send(house, text))
        before = cpu.seconds_of(worker), cpu.seconds_of(server)
        pair.ours.append(ours(house, text))
        after = cpu.seconds_of(worker), cpu.seconds_of(server)
        for who, was, is_ in zip(spent, before, after, strict=True):
            spent[who].append((is_ - was) / house.people * 1000)
        assert sum(recipients for _, recipients, _ in provider.arrivals()) == 2 * house.people
    pair.show()
    note(f"{name}, CPU", "s/1,000 recipients", spent)


def ours(house: House, text: str) -> float:
    """Recipients a second from launch until every row is settled."""
    campaign = house.approved(text)
    began = time.monotonic()
    house.launch(campaign)
    house.wait_for(campaign)
    return house.people / (time.monotonic() - began)

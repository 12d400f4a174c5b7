"""A connection's rate over two worker processes: its mean, and the busiest second that the provider saw."""

from __future__ import annotations

from collections.abc import Sequence

from bench import sink
from bench.figures import note
from bench.house import House, workers

# Recipients a second, and a text: more personal ones than a few hundred a second are beyond two cores.
RATES = {80: "Dear {{name}}, see you at nine.", 1000: "The clinic opens at nine tomorrow."}
PEOPLE = 10_000
SECONDS = 20  # of each run, as far as the people reach


def run(*, runs: int, people: int) -> None:
    """Print both as shares of the rate: the mean of all seconds, and the most within any second, wherever it begins."""
    for rate, text in RATES.items():
        with sink.running() as provider, workers():
            house = House(provider, min(people, rate * SECONDS), name=f"at {rate}")
            house.connection.rate_per_s = rate
            house.connection.save()
            shares: dict[str, list[float]] = {"mean": [], "busiest": []}
            for _ in range(runs):
                moments = _moments(house, provider, text)
                shares["mean"].append((len(moments) - 1) / (moments[-1] - moments[0]) / rate)
                shares["busiest"].append(busiest(moments) / rate)
            note(f"pace, {rate} a second", "of the rate", shares)


def _moments(house: House, provider: sink.Sink, text: str) -> list[float]:
    """When each recipient of one campaign came."""
    campaign = house.approved(text)
    provider.arrivals()
    house.launch(campaign)
    house.wait_for(campaign)
    return sorted(at for at, recipients, _ in provider.arrivals() for _ in range(recipients))


def busiest(moments: Sequence[float]) -> int:
    """The most of these moments within one second, wherever it begins."""
    most = first = 0
    for last, at in enumerate(moments):
        while moments[first] <= at - 1:
            first += 1
        most = max(most, last - first + 1)
    return most

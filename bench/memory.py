"""A worker's memory over a long campaign: at its end beside its first tenth, sampled as the recipients leave."""

from __future__ import annotations

import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from bench import cpu, sink
from bench.figures import note
from bench.house import PATIENCE_S, House, workers

PEOPLE = 100_000  # with the same text; a quarter of them with a text of their own
TEXTS = {
    "identical text": ("The clinic opens at nine tomorrow.", 1),
    "personal text": ("Dear {{name}}, see you at nine.", 4),
}
TENTHS = 10
SAMPLE_S = 0.2
AIM_MB = 20  # the most that a process may grow by

Peaks = dict[int, dict[int, float]]  # MB by process and tenth


def run(*, people: int, **_runs: int) -> None:
    """Print what the process that grew most held in each tenth; one campaign of each kind of text, workers anew."""
    for name, (text, share) in TEXTS.items():
        with sink.running() as provider, workers() as pid:
            house = House(provider, people // share, name=name)
            peaks = _peaks(house, text, provider, pid)
        grown = {one: of[TENTHS - 1] - of[0] for one, of in peaks.items()}
        most = max(grown, key=grown.__getitem__)
        tenths = [peaks[most][tenth] for tenth in range(TENTHS)]
        note(
            f"memory of a worker, {name}, {house.people:,} people",
            "MB",
            {"first tenth": [tenths[0]], "last": [tenths[-1]]},
        )
        print(f"  by tenths: {', '.join(f'{one:.0f}' for one in tenths)}")
        print(f"  grown by {grown[most]:.1f} MB, aim {AIM_MB}: {'met' if grown[most] <= AIM_MB else 'not met'}")


def _peaks(house: House, text: str, provider: sink.Sink, worker: int) -> Peaks:
    """Those of the processes that lived from the first tenth to the last; the first rows leave during the launch."""
    campaign = house.approved(text)
    tally = sink.Tally(provider)
    with ThreadPoolExecutor(1) as pool:
        sampled = pool.submit(_sample, tally, house.people, worker)
        house.launch(campaign)
        peaks = sampled.result()
    house.wait_for(campaign)
    return {pid: of for pid, of in peaks.items() if len(of) == TENTHS}


def _sample(tally: sink.Tally, people: int, worker: int) -> Peaks:
    """The most that each process held in each tenth of the campaign, until the last recipient has come."""
    peaks: Peaks = defaultdict(dict)
    came, until = 0, time.monotonic() + PATIENCE_S
    while came < people:
        came = tally.count()
        tenth = min(came * TENTHS // people, TENTHS - 1)
        for pid, held in cpu.resident_mb(worker).items():
            peaks[pid][tenth] = max(held, peaks[pid].get(tenth, 0.0))
        if time.monotonic() > until:
            raise RuntimeError(f"{came:,} of {people:,} came")
        time.sleep(SAMPLE_S)
    return peaks

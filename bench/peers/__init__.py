"""A campaign of ours beside what a user might run instead: to the same sink, in turn, in the same run.

Kannel with its disk spool, django-post-office with its rows in the same PostgreSQL, and a Celery task a recipient. Each
sends one recipient a request, as it does. What they send stands in their own rows before the clock runs, as our plan
does; Kannel has no such rows, so it is handed the messages while the clock runs.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from bench import sink
from bench.campaign import LATENCIES_MS, TEXTS, ours
from bench.figures import Pair
from bench.house import House, workers
from bench.peers import kannel, plainsite_runs, venv
from bench.peers.letters import Letter, letters

PEOPLE = 2_800
AIMS = {"Kannel": 1.5, "django-post-office": 8.0, "a Celery task each": 25.0}


class Peer(Protocol):
    def send(self, work: list[Letter], tally: sink.Tally) -> float:
        """Recipients a second, until the last is at the sink and in the peer's own books, if it keeps any."""


def run(*, runs: int, people: int) -> None:
    """Print recipients a second beside each peer, for both kinds of text, with and without a latency."""
    kannel.install()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=os.environ["SWITCHBOARD_HOME"])))
        programs = venv.make(folder / "venv")
        provider = stack.enter_context(sink.running())
        stack.enter_context(workers())
        house = House(provider, people)
        for latency in LATENCIES_MS:
            house.connection.send_path = provider.path(latency)
            house.connection.save()
            with _peers(provider, latency, folder, programs) as peers:
                for name, text in TEXTS.items():
                    _compare(f"{name}, {latency} ms", house, text, provider, peers, runs=runs)


@contextmanager
def _peers(provider: sink.Sink, latency: int, folder: Path, programs: Path) -> Iterator[dict[str, Peer]]:
    url = provider.url + provider.path(latency)
    with kannel.running(url, folder) as gateway, plainsite_runs.running(url, programs) as site:
        yield dict(zip(AIMS, (gateway, plainsite_runs.PostOffice(site), plainsite_runs.TaskEach(site)), strict=True))


def _compare(name: str, house: House, text: str, provider: sink.Sink, peers: dict[str, Peer], *, runs: int) -> None:
    pairs = {peer: Pair(f"beside {peer}, {name}", "recipients/s") for peer in peers}
    work = letters(house, text)
    for _ in range(runs):
        tally = sink.Tally(provider)
        campaign = ours(house, text)
        _all_came(tally, work)
        for peer, pair in pairs.items():
            tally = sink.Tally(provider)
            pair.ours.append(campaign)
            pair.baseline.append(peers[peer].send(work, tally))
            _all_came(tally, work)
    for peer, pair in pairs.items():
        pair.show()
        print(f"{'':<40} aim {AIMS[peer]:g}: {'met' if pair.ratio >= AIMS[peer] else 'not met'}")


def _all_came(tally: sink.Tally, work: list[Letter]) -> None:
    came = tally.count()
    assert came == len(work), f"{came} of {len(work)} came"

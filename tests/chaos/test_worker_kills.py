"""`kill -9` a worker in the middle of a campaign: nobody gets it twice, nobody is lost, doubt is shown and settled."""

from __future__ import annotations

import random

import pytest

from tests.rig import Rig, running, wait_until

PEOPLE = 2_000
KILLS = 5
SEED = 20261123


@pytest.fixture(scope="module")
def rig(tmp_path_factory):
    with running(tmp_path_factory.mktemp("chaos") / "home") as rig:
        yield rig


@pytest.mark.slow
def test_a_worker_killed_five_times_in_a_campaign_doubles_and_loses_nobody(rig: Rig):
    campaign = rig.manage("demo_campaign", "--people", str(PEOPLE), "--personal").strip().splitlines()[-1]
    with rig.second_worker() as second:
        moments = sorted(random.Random(SEED).sample(range(PEOPLE // 20, PEOPLE * 9 // 10), KILLS))
        for kill, progress in enumerate(moments):
            wait_until(lambda at=progress: sum(rig.ledger().values()) >= at, seconds=60, what=f"{progress} sent")
            if kill % 2:
                second.restart()
            else:
                rig.kill("worker")
    wait_until(lambda: settled(rig.report(campaign)), seconds=120, what="the end of the campaign")
    ledger = rig.ledger()
    wait_until(lambda: rig.report(campaign)["unknown"] == PEOPLE - len(ledger), seconds=30, what="DNs of unknowns")
    report = rig.report(campaign)
    assert max(ledger.values()) == 1, "nobody twice"
    assert report["audience"] == PEOPLE
    assert report["submitted"] == PEOPLE, "nobody lost"
    assert report["delivered"] == len(ledger), "whoever the provider took, and nobody else, ends delivered"
    assert report["unknown"] == PEOPLE - len(ledger), "what never arrived stays unknown, and is shown"


def settled(report: dict) -> bool:
    return not (report["to_send"] or report["in_flight"] or report["held"] or report["waiting"])

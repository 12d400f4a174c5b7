"""30 minutes of everything with a nemesis now and then: 0 doubled, 0 lost, flat memory, no table that only grows."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from messaging.models import Connection, DeliveryNotice, InboundRaw
from tests.chaos import growth, sums, tables
from tests.chaos.everyday import Everyday
from tests.chaos.fleet import Fleet
from tests.chaos.nemesis import Nemesis
from tests.chaos.pulse import Pulse
from tests.chaos.reader import percentile
from tests.chaos.rig import Rig
from tests.chaos.vitals import Vitals

LASTS_S, RATE_PER_S, SUMS_EVERY_S, TOLD_EVERY_S = 1_800, 15, 10.0, 60.0
ACTS = {"kill a worker": 8, "restart Redis": 4, "crash PostgreSQL": 4, "faults of the provider": 6}
FAULTS = ("drop_after", "http503", "reset_before", "code500", "nonjson_after")
FAULTS_SHARE, FAULTS_LAST_S = 0.1, 10.0
MEMORY_EVERY_S, WARM_UP_S = 10.0, 180.0
CROWD, CROWD_RATE_PER_S, FAR_AWAY_S = 2_000, 10_000, 0.4  # of the warm-up; each way, below FIRST_BYTE_S
SENDS_S, FIRST_ERRORS = 3.0, 4  # before something fails; how often each
PAGES, READERS = 2_400, 8  # as many as the web has threads; after some 700 for each process nothing grows any more


def run(rig: Rig) -> dict[str, Any]:
    lasts_s = rig.size(LASTS_S, least=60)
    sums.EVERY_S = SUMS_EVERY_S
    rig.web()
    rig.backstage()
    rig.celery("send", name="sender")  # nobody kills this one
    nemesis = _nemesis(rig, lasts_s, Fleet(1, lambda: rig.celery("send")))
    day, vitals, connections = Everyday(rig), Vitals(rig.children), list[int]()
    _fill_pools(rig, day)
    Connection.objects.update(rate_per_s=RATE_PER_S)
    before = tables.rows()
    pulse = Pulse(rig)
    for every_s, act in (
        (1.0, day.campaign), (2.0, day.client.send), (3.0, day.answer), (20.0, day.stop), (1.0, day.reader.look)
    ):  # fmt: skip
        pulse.every(every_s, act)
    pulse.every(min(MEMORY_EVERY_S, lasts_s / 60), vitals.sample)
    pulse.every(MEMORY_EVERY_S, lambda: connections.append(growth.connections()))
    pulse.every(TOLD_EVERY_S, lambda: _tell(day, vitals, nemesis))
    day.campaign()
    began = time.monotonic()
    while (elapsed := time.monotonic() - began) < lasts_s:
        nemesis.look(round(elapsed))
        pulse.look()
        rig.samples.take_if_due()
        time.sleep(0.05)
    _come_to_rest(rig, day)
    figures = {"minutes": round(lasts_s / 60, 1), **nemesis.done_acts, **_outcome(rig, day)}
    rig.expect(nemesis.done, "the nemesis has not done all")
    rows = tables.grown(before, tables.rows())
    rig.expect(not rows["without_retention"], f"grow, and nothing deletes old rows: {rows['without_retention']}")
    lives = [life.warmed_up(min(WARM_UP_S, lasts_s / 3)) for life in vitals.lives.values()]
    return {
        **figures, "memory": growth.memory(rig, lives), "open": growth.threads_and_files(rig, lives),
        "database_connections": growth.of_connections(rig, connections), "rows": rows,
    }  # fmt: skip


def _fill_pools(rig: Rig, day: Everyday) -> None:
    """Whatever is taken once and kept is no growth: threads, what each has used, and the lines of the sources.

    So a crowd is sent to while the provider is far away, and readers open pages in all threads at the same time. Then
    Redis, the database and the provider fail them: a logged traceback keeps every file that it names in memory
    (linecache), and Celery's main process takes a little for each of its first dozen reconnections. After that neither
    restarts nor 40,000 messages made a sender grow by more than 0.1 MB.
    """
    near = rig.sandbox.url
    rig.wire_to_sandbox().rule(latency_s=FAR_AWAY_S)
    Connection.objects.update(rate_per_s=CROWD_RATE_PER_S)
    day.campaigns.append(rig.campaign(CROWD))
    rig.finish(*day.campaigns, seconds=180)
    Connection.objects.update(base_url=near)
    day.reader.crowd(rig.size(PAGES), at_once=READERS)
    for fails in (rig.broker.restart, rig.database.restart, lambda: _faults(rig)) * FIRST_ERRORS:
        day.campaign()
        time.sleep(SENDS_S)
        fails()
        day.reader.crowd(READERS * 4, at_once=READERS)
    rig.sandbox.faults()


def _outcome(rig: Rig, day: Everyday) -> dict[str, Any]:
    verdict, wrong = day.examine()
    for what, count in wrong.items():
        rig.expect(count == 0, f"{count} {what}")
    return {
        "campaigns": len(day.campaigns), "singles": len(day.client.asked), "repeats": day.client.repeats,
        "answers": len(day.answers), "pages": len(day.reader.ms), "page_errors": len(day.reader.errors),
        "page_p95_ms": round(percentile(day.reader.ms, 0.95)), "events_told": day.webhooks.received().total(),
        **wrong, **verdict.figures,
    }  # fmt: skip


def _nemesis(rig: Rig, lasts_s: int, victims: Fleet) -> Nemesis:
    """Its progress is the time."""
    nemesis = Nemesis(rig.chance, lasts_s)
    acts: dict[str, Callable[[], object]] = {
        "kill a worker": lambda: victims.kill_one(rig.chance),
        "restart Redis": rig.broker.restart,
        "crash PostgreSQL": rig.database.restart,
        "faults of the provider": lambda: _faults(rig),
    }
    for what, times in ACTS.items():
        nemesis.plan(what, rig.size(times), acts[what])
    return nemesis


def _faults(rig: Rig) -> None:
    """For the next calls, about ten seconds of them."""
    calls = range(1, round(RATE_PER_S * FAULTS_LAST_S) + 1)
    hit = rig.chance.sample(calls, round(len(calls) * FAULTS_SHARE))
    rig.sandbox.faults(*({"fault": rig.chance.choice(FAULTS), "at": [call]} for call in hit))


def _come_to_rest(rig: Rig, day: Everyday) -> None:
    rig.sandbox.faults()
    rig.finish(*day.campaigns, seconds=300)
    rig.until(lambda: not any(rig.sandbox.state()["pending"].values()), seconds=300, what="every DN and answer")
    rig.until(lambda: not InboundRaw.objects.filter(digested_at=None).exists(), seconds=120, what="all is read")
    rig.until(
        lambda: not DeliveryNotice.objects.filter(state="parked").exists(), seconds=120, what="every DN has its request"
    )
    rig.until(lambda: not day.webhooks.waiting, seconds=120, what="every event is told")


def _tell(day: Everyday, vitals: Vitals, nemesis: Nemesis) -> None:
    memory = ", ".join(f"{name} {mb:.0f}" for name, mb in vitals.peak_mb.items())
    acts = ", ".join(f"{count} x {what}" for what, count in nemesis.done_acts.items())
    print(f"{len(day.campaigns)} campaigns; {acts}; MB at most: {memory}", file=sys.stderr, flush=True)

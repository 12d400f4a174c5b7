"""PostgreSQL is down for 60 s under 5,000 DNs and 200 MOs, its drainers are killed 5 times: 0 lost, 0 twice."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import requests

from messaging import ingest
from messaging.models import InboundRaw, Message
from messaging.receiving import drain_spool
from tests.chaos.rig import Rig

DNS, MOS, AWAY_S, CALLERS, DRAINER_KILLS = 5_000, 200, 60, 8, 5


def run(rig: Rig) -> dict[str, Any]:
    calls = _calls(rig)
    away_s = max(10.0, AWAY_S * rig.scale)
    web = rig.web()
    with ThreadPoolExecutor(CALLERS) as pool:
        early = list(pool.map(lambda call: _post(rig, call), calls[: len(calls) // 10]))
        rig.database.stop()
        began = time.monotonic()
        pace_s = away_s * CALLERS / len(calls)
        late = list(pool.map(lambda call: _post(rig, call, pace_s), calls[len(calls) // 10 :]))
        time.sleep(max(0.0, away_s - (time.monotonic() - began)))
    web.kill()  # whoever spooled dies too, before the database is back
    rig.database.start()
    kills = _kill_drainers(rig)
    rig.manage("drainer", "drain").wait(300)
    took = sorted(seconds for _, seconds in late)
    answers = Counter(status for status, _ in early + late)
    figures = {"down_s": round(away_s), "drainers_killed": kills, "p50_ms": round(took[len(took) // 2] * 1000)}
    figures |= {"p99_ms": round(took[len(took) * 99 // 100] * 1000)}
    return figures | _examine(rig, calls, answers)


def _calls(rig: Rig) -> list[tuple[str, dict[str, str]]]:
    dns = [("dn", {"status": "DELIVERED", "msisdn": f"6012{n:07}", "msgid": f"r8-{n}-0"}) for n in range(rig.size(DNS))]
    mos = [("mo", {"from": f"6013{n:07}", "to": "60300", "text": f"Hello {n}"}) for n in range(rig.size(MOS, least=20))]
    calls = [*dns, *mos]
    rig.chance.shuffle(calls)
    return calls


def _post(rig: Rig, call: tuple[str, dict[str, str]], pause_s: float = 0.0) -> tuple[int, float]:
    """The status, and how long it took."""
    kind, form = call
    began = time.monotonic()
    status = requests.post(rig.hooks()[kind], data=form, timeout=30).status_code
    took = time.monotonic() - began
    time.sleep(max(0.0, pause_s - took))
    return status, took


def _kill_drainers(rig: Rig) -> int:
    """Each gets a bit further; forked, so that they begin at once."""
    for _ in range(DRAINER_KILLS):
        child = rig.fork("drainer", drain_spool)
        time.sleep(rig.chance.uniform(0.02, 0.4))
        child.kill()
    return DRAINER_KILLS


def _examine(rig: Rig, calls: list, answers: Counter[int]) -> dict[str, Any]:
    while ingest.digest_all():
        pass
    rows = Counter(bytes(body) for body in InboundRaw.objects.values_list("body", flat=True))
    lost, twice = len(calls) - len(rows), sum(count > 1 for count in rows.values())
    people = Message.objects.mos().values("contact").distinct().count()
    mos = sum(kind == "mo" for kind, _ in calls)
    rig.expect(answers.keys() == {200}, f"answers {dict(answers)}")
    rig.expect(lost == 0, f"{lost} calls lost")
    rig.expect(twice == 0, f"{twice} calls twice")
    rig.expect(Message.objects.mos().count() == people == mos, f"{people} of {mos} MOs in the timeline")
    return {
        "calls": len(calls),
        "mos": mos,
        "lost": lost,
        "twice": twice,
        "answers": {str(k): v for k, v in answers.items()},
    }

"""One scenario in a process of its own: `python -m tests.chaos.run R1 --seed 5`; prints its line of JSON."""

from __future__ import annotations

import argparse
import importlib
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

import django

from tests.chaos import catalogue, ground
from tests.chaos.servers import Servers

IMPATIENT = {"PROVIDER_DEADLINE_S": "4", "FIRST_BYTE_S": "2", "CLAIM_LEASE_S": "6", "LOG_LEVEL": "WARNING"}
IMPATIENT |= {"IDLE_IN_TRANSACTION_S": "20", "IDLE_SESSION_S": "60"}


def main() -> int:
    parser = argparse.ArgumentParser(prog="chaos.run")
    parser.add_argument("name")
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--scale", type=float, default=1.0)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    ground.KEPT.mkdir(parents=True, exist_ok=True)
    servers = Servers(Path(tempfile.mkdtemp(prefix="run-", dir=ground.KEPT)))
    began = time.monotonic()
    try:
        servers.start()
        figures, findings = _run(servers, given)
    finally:
        servers.stop()
    line = {"scenario": given.name, "seed": given.seed, "scale": given.scale, "ok": not findings}
    line |= {"findings": findings, "seconds": round(time.monotonic() - began, 1)}
    print(json.dumps(line | figures), flush=True)
    return 1 if findings else 0


def _run(servers: Servers, given: argparse.Namespace) -> tuple[dict[str, Any], list[str]]:
    """The scenario's figures and findings; whatever it raises is a finding too."""
    os.environ.update(IMPATIENT | servers.environment())
    django.setup()
    from tests.chaos.rig import Rig  # it imports models

    _never_idle_too_long()
    rig = Rig(servers, seed=given.seed, scale=given.scale)
    figures: dict[str, Any] = {}
    try:
        rig.begin()
        figures = importlib.import_module(catalogue.module_of(given.name)).run(rig)
    except Exception as error:  # noqa: BLE001 whatever it is, it is told
        traceback.print_exc()
        rig.findings.append(f"{type(error).__name__}: {error}")
    finally:
        rig.end()
    return figures, rig.findings


def _never_idle_too_long() -> None:
    """The rig's own session is never ended: it waits as long as it likes, also for a ledger of a million lines."""
    from django.db.backends.signals import connection_created

    rig = os.getpid()

    def keep(connection: Any, **_signal: Any) -> None:
        if os.getpid() == rig:  # a forked worker keeps what the product asks for
            with connection.cursor() as cursor:
                cursor.execute("SET idle_session_timeout = 0")

    connection_created.connect(keep, weak=False)


if __name__ == "__main__":
    sys.exit(main())

"""PostgreSQL's disk is full, then the spool's too: no 200 without storage, and all resumes alone once there is room."""

from __future__ import annotations

import os
import subprocess
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests

from messaging.models import Connection, InboundRaw
from tests.chaos.rig import Rig

PEOPLE, CALLS, DATA_MB, SPOOL_MB = 2_000, 300, 400, 1
A_SECOND, BODY = 60, 4_000


def run(rig: Rig) -> dict[str, Any]:
    if os.geteuid() or subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        return {"skipped": "needs the right to mount a tmpfs"}
    spool = rig.servers.home / "spool"
    with ExitStack() as mounted:
        mounted.callback(rig.database.crash)
        mounted.enter_context(_small_data_disk(rig))
        mounted.enter_context(_tmpfs(spool, SPOOL_MB))
        return _fill_and_free(rig, spool)


def _fill_and_free(rig: Rig, spool: Path) -> dict[str, Any]:
    Connection.objects.update(rate_per_s=A_SECOND)
    campaign = rig.campaign(rig.size(PEOPLE))
    web = rig.web()
    workers = rig.workers(1)
    rig.until(lambda: rig.sandbox.accepted() > 0, seconds=60, what="the first is sent")
    ballast = _fill(rig.database.server.data / "ballast")
    answers = [(number, _call(rig, number)) for number in range(rig.size(CALLS, least=400))]
    spooled = sum(path.stat().st_size for path in spool.iterdir())
    stood = rig.sandbox.accepted()
    ballast.unlink()
    freed = time.monotonic()
    rig.until(lambda: rig.sandbox.accepted() > stood, seconds=60, what="sending resumes")
    resumed_s = time.monotonic() - freed
    taken = {number for number, status in answers if status == 200}
    rig.until(lambda: taken <= _stored(), seconds=60, what="every call that was answered 200 is a row")
    rig.finish(campaign, seconds=240)
    workers.stop()
    web.kill()
    codes = Counter(status for _, status in answers)
    rig.expect(codes.keys() <= {200, 503}, f"answers {dict(codes)}")
    rig.expect(codes[503], "the spool was never full")
    lost = len(taken - _stored())
    figures = {"answers": dict(codes), "spooled_bytes": spooled, "lost": lost}
    return figures | {"resumed_s": round(resumed_s, 1)} | rig.verdict(campaign, unknown_at_most=0).figures


def _stored() -> set[int]:
    return {int(bytes(body).split()[0]) for body in InboundRaw.objects.filter(kind="mo").values_list("body", flat=True)}


def _call(rig: Rig, number: int) -> int:
    body = str(number).encode() + b" " + os.urandom(BODY // 2).hex().encode()
    return requests.post(rig.hooks()["mo"], data=body, headers={"Content-Type": "text/plain"}, timeout=30).status_code


def _fill(path: Path) -> Path:
    """Every byte that is left, as PostgreSQL's own user could have written it."""
    with path.open("wb") as file:
        for block in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    os.write(file.fileno(), b"\0" * block)
            except OSError:
                continue
    return path


@contextmanager
def _small_data_disk(rig: Rig) -> Any:
    """PostgreSQL's folder on a disk of its own."""
    data = rig.database.server.data
    rig.database.stop()
    aside = data.with_name("aside")
    data.rename(aside)
    with _tmpfs(data, DATA_MB):
        subprocess.run(["cp", "-a", f"{aside}/.", data], check=True)
        rig.database.start()
        yield


@contextmanager
def _tmpfs(folder: Path, megabytes: int) -> Any:
    folder.mkdir(exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=True)

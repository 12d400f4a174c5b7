"""A backup from half a campaign is restored after its end: no request before a person agrees, nobody doubled after."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from django.db import connections

from messaging.clock import db_now
from messaging.models import Connection, Incident, Message
from messaging.restoring import thaw
from tests.chaos.dns import settle_unknowns
from tests.chaos.rig import Rig
from tests.factories import make_user

PEOPLE, LASTS_S, WATCH_S = 2_000, 20, 30


def run(rig: Rig) -> dict[str, Any]:
    how = ("another database", "the same tables", "the data folder")[rig.seed % 3]
    Connection.objects.update(rate_per_s=rig.size(PEOPLE) // LASTS_S)
    campaign = rig.campaign(rig.size(PEOPLE))
    workers = rig.workers(2)
    rig.until(lambda: rig.sandbox.accepted() >= rig.size(PEOPLE) // 2, seconds=120, what="half of it")
    time.sleep(2)  # a tick has seen the database
    put_back = _backup(rig, how)
    rig.finish(campaign, seconds=300)
    workers.stop()
    sent = rig.sandbox.accepted()
    put_back()
    waiting = Message.objects.filter(campaign=campaign).passing().count()
    rig.expect(waiting, "nobody waited in the backup: it shows nothing")
    workers = rig.workers(2)
    rig.until(lambda: Incident.objects.filter(kind="frozen", closed_at=None).exists(), seconds=30, what="the freeze")
    time.sleep(max(8.0, WATCH_S * rig.scale))
    before_consent = rig.sandbox.accepted() - sent
    rig.expect(before_consent == 0, f"{before_consent} requests before anybody agreed")
    doubtful = thaw(connection=Connection.objects.get(), user=make_user(), now=db_now())
    rig.finish(campaign, seconds=120)
    time.sleep(3)
    settled = settle_unknowns(rig)
    doubled = sum(count > 1 for count in rig.sandbox.counts().values())
    rig.expect(doubled == 0, f"{doubled} doubled")
    unknown = Message.objects.unknowns().count()
    rig.expect(unknown == 0, f"{unknown} unknown though the provider reported them")
    workers.stop()
    return {
        "restored_into": how, "sent_in_all": sent, "waiting_in_backup": waiting, "before_consent": before_consent,
        "unknown_after_consent": doubtful, "settled_by_dn": settled, "doubled": doubled,
    }  # fmt: skip


def _backup(rig: Rig, how: str) -> Callable[[], None]:
    """Make it now; what is returned puts it back."""
    if how == "the data folder":
        return _image(rig)
    dump = rig.servers.home / "dump"
    server = rig.database.server
    _run(server.programs / "pg_dump", "-Fc", "-f", dump, "-d", server.url())
    return (lambda: _into_another(rig, dump)) if how == "another database" else (lambda: _into_the_same(rig, dump))


def _into_another(rig: Rig, dump: Path) -> None:
    server = rig.database.server
    connections.close_all()
    with psycopg.connect(server.url("postgres"), autocommit=True) as admin:
        admin.execute("DROP DATABASE gateway WITH (FORCE)")
        admin.execute("CREATE DATABASE gateway")
    _run(server.programs / "pg_restore", "-d", server.url(), dump)


def _into_the_same(rig: Rig, dump: Path) -> None:
    connections.close_all()
    server = rig.database.server
    _run(server.programs / "pg_restore", "--clean", "-d", server.url(), dump)


def _image(rig: Rig) -> Callable[[], None]:
    """As a snapshot of the disk: while it was stopped, for the sake of a copy by hand."""
    data, image = rig.database.server.data, rig.servers.home / "image"
    rig.database.stop()
    subprocess.run(["cp", "-a", data, image], check=True)
    rig.database.start()

    def put_back() -> None:
        connections.close_all()
        rig.database.stop()
        shutil.rmtree(data)
        subprocess.run(["cp", "-a", image, data], check=True)
        rig.database.start()

    return put_back


def _run(*argv: object) -> None:
    done = subprocess.run([str(part) for part in argv], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr[-1_000:])

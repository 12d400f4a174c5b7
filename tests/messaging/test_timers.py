"""Without beat and without a broker the work is done by whoever notices, and by the timers of one machine in turn."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F

from messaging import heart, work
from messaging.alone import alone
from messaging.models import Heartbeat
from messaging.timers import SILENT_S, Timer
from tests.factories import make_connection, make_contact, make_running_campaign

pytestmark = pytest.mark.django_db


def age(name, seconds):
    Heartbeat.objects.filter(name=name).update(at=F("at") - timedelta(seconds=seconds))


def test_a_name_that_nobody_ever_began_is_silent_and_one_begun_just_now_is_not():
    heart.beat("tick")
    assert heart.silent(["tick", "digest"], for_s=5) == ["digest"]
    age("tick", 6)
    assert heart.silent(["tick"], for_s=5) == ["tick"]
    heart.beat("tick")
    assert heart.silent(["tick"], for_s=5) == []


def test_a_heartbeat_is_written_at_most_once_a_second():
    heart.beat("tick")
    first = Heartbeat.objects.get().at
    heart.beat("tick")
    assert Heartbeat.objects.get().at == first


@pytest.mark.parametrize(
    ("queues", "done"), [(["digest", "house"], ["tick", "digest"]), (["digest"], ["digest"]), (["send"], [])]
)
def test_a_timer_does_the_work_of_its_own_queues_when_nobody_else_does(queues, done):
    timer = Timer(queues)
    assert timer.look() == done
    assert timer.look() == [], "somebody has begun it just now"
    Heartbeat.objects.update(at=F("at") - timedelta(seconds=SILENT_S + 1))
    assert timer.look() == done


def test_a_timer_sends_what_is_due_though_no_hint_ever_comes(connection, monkeypatch):
    make_running_campaign(connection, [make_contact(name="Aminah")])
    idle, sent = make_connection(), []
    monkeypatch.setattr(work.sending, "drain", lambda pk, budget_s: sent.append(pk) or 1)
    assert Timer(["send"]).look() == [f"send {connection.pk}"]
    assert sent == [connection.pk]
    assert idle.pk not in sent


@pytest.mark.django_db(transaction=True)
def test_a_slow_connection_takes_no_more_than_its_share_of_a_machines_processes(settings, monkeypatch):
    from concurrent.futures import ThreadPoolExecutor
    from threading import Event

    from django.db import connections

    settings.DRAINS_PER_CONNECTION = 2
    slow, quick = make_connection(), make_connection()
    release, started = Event(), []

    def drain(pk, budget_s):
        started.append(pk)
        return 1 if pk == quick.pk else int(release.wait(20))

    def send(pk):
        try:
            return work.send_in_turn(pk, budget_s=10)
        finally:
            connections.close_all()

    monkeypatch.setattr(work.sending, "drain", drain)
    with ThreadPoolExecutor(4) as pool:
        held = [pool.submit(send, slow.pk) for _ in range(2)]
        while len(started) < 2:
            pass
        assert pool.submit(send, slow.pk).result(10) == 0, "the third process is left to others"
        assert pool.submit(send, quick.pk).result(10) == 1
        release.set()
        assert [one.result(10) for one in held] == [1, 1]


@pytest.mark.django_db(transaction=True)
def test_a_lock_whose_database_connection_was_lost_is_simply_gone():
    from django.db import connection as database

    with alone("something") as mine:
        assert mine
        database.close()
    with alone("something") as mine:
        assert mine

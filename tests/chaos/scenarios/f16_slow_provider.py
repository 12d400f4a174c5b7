"""One provider takes 30 s an answer: the other account keeps its pace, pages theirs, a pause works at once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import connection as database

from messaging import campaigns
from messaging.clock import db_now
from messaging.models import Campaign, Connection, Message, ProviderRequest
from tests.chaos.reader import Reader, percentile
from tests.chaos.rig import Rig
from tests.chaos.sandbox import KEY, SECRET
from tests.chaos.scenarios.r17_pause_and_cancel import Acts
from tests.factories import make_connection, make_user

EACH_WAY_S = 15.0  # of the slow one, for every packet
PACE, LASTS_S, SLOW_PEOPLE = 50, 60, 2_000
KEPT_SHARE, PAGE_MORE, PAGE_MORE_MS = 0.9, 1.5, 100
PATIENT = {"PROVIDER_DEADLINE_S": "60", "FIRST_BYTE_S": "20", "CLAIM_LEASE_S": "30"}  # as installed, a bit more patient
PAGES = ("/", "/campaigns/", "/conversations/")
IDLE_SQL = """
SELECT count(*) FROM pg_stat_activity
WHERE state LIKE 'idle in transaction%%' AND state_change < clock_timestamp() - interval '1 s'
"""


def run(rig: Rig) -> dict[str, Any]:
    Connection.objects.filter(pk=rig.connection.pk).update(rate_per_s=PACE)
    wire = rig.wire(rig.sandbox.address)
    slow = make_connection(base_url=f"http://{wire.address}", app_key=KEY, app_secret=SECRET, rate_per_s=PACE)
    rig.web()
    rig.backstage()
    rig.celery("send", processes=3, **PATIENT)
    reader = Reader(rig, PAGES)
    alone = Paced(rig, reader)
    pages_before = reader.forget()
    wire.rule(latency_s=EACH_WAY_S)
    stalled = rig.campaign(rig.size(SLOW_PEOPLE, least=600), by=slow)
    in_flight = ProviderRequest.objects.filter(connection=slow, outcome="in_flight")
    rig.until(lambda: in_flight.count() >= slow.max_in_flight, seconds=60, what="the slow one is busy")
    beside = Paced(rig, reader)
    errors, pages_beside = list(reader.errors), reader.forget()
    busy = in_flight.count()
    rig.expect(busy, "the slow one was not slow")
    acts = Acts(stalled)
    acts.stop("pause", rig)
    campaigns.cancel_campaign(campaign=_fresh(stalled), user=make_user(), now=db_now())
    rig.finish(alone.campaign, beside.campaign, stalled, seconds=180)
    before, after = percentile(pages_before, 0.95), percentile(pages_beside, 0.95)
    rig.expect(beside.per_s >= KEPT_SHARE * alone.per_s, f"{beside.per_s:.0f} a second, {alone.per_s:.0f} alone")
    rig.expect(after <= max(before * PAGE_MORE, before + PAGE_MORE_MS), f"pages: {before:.0f} ms, then {after:.0f} ms")
    rig.expect(not errors, f"pages: {errors[:3]}")
    rig.expect(beside.idle == 0, f"{beside.idle} transactions were open and idle")
    rig.expect(acts.answers_ms[0] <= 1_000, f"the pause took {acts.answers_ms[0]} ms")
    figures = {
        "alone_per_s": round(alone.per_s, 1), "beside_per_s": round(beside.per_s, 1), "slow_in_flight": busy,
        "slow_answer_s": _answer_s(slow), "page_p95_ms": round(before), "page_p95_beside_ms": round(after),
        "connections": beside.connections, "idle_in_transaction": beside.idle,
        "pause_ms": acts.answers_ms[0], "latest_start_ms": acts.latest_ms,
    }  # fmt: skip
    return figures | rig.verdict([alone.campaign, beside.campaign, stalled], unknown_at_most=0).figures


class Paced:
    """A campaign of the healthy account while somebody reads pages: its recipients a second."""

    def __init__(self, rig: Rig, reader: Reader) -> None:
        self.idle = self.connections = 0
        lasts_s = rig.size(LASTS_S, least=15)
        self.campaign = rig.campaign(PACE * lasts_s)
        passing = Message.objects.filter(campaign=self.campaign).passing()
        rig.until(lambda: self._look(reader) or not passing.exists(), seconds=5 * lasts_s, what="the healthy campaign")
        numbers = set(Message.objects.filter(campaign=self.campaign).values_list("contact__msisdn", flat=True))
        lines = (line for line in rig.sandbox.ledger() if line["msisdn"] in numbers)
        moments = sorted(datetime.fromisoformat(line["at"]).timestamp() for line in lines)
        self.per_s = (len(moments) - 1) / (moments[-1] - moments[0]) if len(moments) > 1 else 0.0

    def _look(self, reader: Reader) -> None:
        reader.look()
        with database.cursor() as cursor:
            cursor.execute(IDLE_SQL)
            self.idle += cursor.fetchone()[0]
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
            self.connections = max(self.connections, cursor.fetchone()[0])


def _answer_s(connection: Connection) -> float:
    """What the slow one's quickest answer took."""
    rows = ProviderRequest.objects.filter(connection=connection, answered_at__isnull=False)
    took = [(answered - started).total_seconds() for started, answered in rows.values_list("started_at", "answered_at")]
    return round(min(took, default=0.0), 1)


def _fresh(campaign: Campaign) -> Campaign:
    campaign.refresh_from_db()
    return campaign

"""The credit ends at 7,000 of 20,000: exactly those leave, few refusals; after the resume everyone has it once."""

from __future__ import annotations

from typing import Any

from messaging.clock import db_now
from messaging.connections import resume_connection
from messaging.models import Connection, Message, ProviderRequest
from messaging.providers.sandbox import parts
from tests.chaos.rig import PERSONAL, Rig
from tests.factories import make_user

PEOPLE, PAID = 20_000, 7_000
WORKERS = 2


def run(rig: Rig) -> dict[str, Any]:
    paid = rig.size(PAID)
    campaign = rig.campaign(rig.size(PEOPLE))
    charge = parts.charge(PERSONAL, "60123000000", "whatsapp")
    rig.sandbox.tell("balance", balance=parts.money(charge * paid))
    workers = rig.workers(WORKERS)
    stopped = Connection.objects.filter(pk=rig.connection.pk, state=Connection.State.NO_CREDIT)
    in_flight = Message.objects.filter(campaign=campaign, send_state__in=["claimed", "sending"])
    rig.until(lambda: stopped.exists() and not in_flight.exists(), seconds=600, what="the stop")
    accepted, refused = rig.sandbox.accepted(), ProviderRequest.objects.filter(outcome="refused").count()
    rig.expect(accepted == paid, f"{accepted} left, {paid} were paid")
    at_most = WORKERS * rig.connection.max_in_flight
    rig.expect(refused <= at_most, f"{refused} refusals, at most {at_most} expected")
    rig.sandbox.tell("balance", balance="1000000.0000")
    resume_connection(connection=rig.connection, user=make_user(), now=db_now())
    rig.finish(campaign, seconds=900)
    workers.stop()
    return {"paid": paid, "left_by_then": accepted, "refused": refused} | rig.verdict(
        campaign, unknown_at_most=0
    ).figures

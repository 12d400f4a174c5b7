"""Every DN arrives before the answer to its request, 10,000 people: all matched, none to a wrong recipient."""

from __future__ import annotations

from typing import Any

from contacts.addresses import address_hmac
from messaging.models import DeliveryNotice, Message
from tests.chaos.rig import PLAIN, Rig

PEOPLE = 10_000


def run(rig: Rig) -> dict[str, Any]:
    campaign = rig.campaign(rig.size(PEOPLE), text=PLAIN)
    rig.web()
    rig.sandbox.faults({"fault": "early_dn", "share": 1})
    rig.backstage()
    workers = rig.workers(1)
    rig.finish(campaign, seconds=1200)
    delivered = Message.objects.filter(campaign=campaign, delivery_state="delivered")
    people = rig.samples.people(campaign)
    rig.until(lambda: delivered.count() == people, seconds=120, what="a final DN for everyone")
    waiting = DeliveryNotice.objects.filter(state="parked")
    rig.until(lambda: not waiting.exists(), seconds=60, what="a recipient for every DN")  # also for one that is history
    workers.stop()
    parked = waiting.count()
    rig.expect(parked == 0, f"{parked} DNs found no recipient")
    wrong = sum(_is_wrong(notice) for notice in DeliveryNotice.objects.select_related("recipient").iterator())
    rig.expect(wrong == 0, f"{wrong} DNs were applied to somebody else")
    figures = {"matched": delivered.count(), "wrong": wrong, "parked": parked}
    return figures | rig.verdict(campaign, unknown_at_most=0).figures


def _is_wrong(notice: DeliveryNotice) -> bool:
    return notice.recipient is not None and bytes(notice.recipient.address_hmac) != address_hmac(notice.msisdn)

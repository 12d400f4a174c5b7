"""One answer in five is lost, DNs come: 99 % of these unknowns are settled within 10 s of their DN, none wrongly."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.db.models import F, Max

from contacts.addresses import address_hmac
from messaging.models import DeliveryNotice, InboundRaw, Message, ProviderRequest, RequestRecipient
from tests.chaos.rig import Rig

PEOPLE, LOST_SHARE = 3_000, 0.2
WITHIN_S, AT_LEAST = 10.0, 0.99


def run(rig: Rig) -> dict[str, Any]:
    campaign = rig.campaign(rig.size(PEOPLE))
    rig.web()
    rig.sandbox.faults({"fault": "drop_after", "share": LOST_SHARE, "seed": rig.seed})
    rig.backstage()
    workers = rig.workers(1)
    rig.finish(campaign, seconds=900)
    unknown = Message.objects.filter(campaign=campaign).unknowns()
    rig.until(lambda: not unknown.exists(), seconds=120, what="a DN for every unknown")
    workers.stop()
    waits = _waits()
    within = sum(wait <= WITHIN_S for wait in waits)
    rig.expect(waits, "no answer was lost")
    rig.expect(within >= AT_LEAST * len(waits), f"{within} of {len(waits)} within {WITHIN_S:.0f} s")
    wrong = _wrong_adoptions(rig)
    rig.expect(wrong == 0, f"{wrong} requests took another request's ref")
    figures = {"settled_by_dn": len(waits), "within_10_s": within, "longest_s": max(waits, default=0), "wrong": wrong}
    figures["slowest_reading_s"] = _slowest_reading_s()
    return figures | rig.verdict(campaign, unknown_at_most=0).figures


def _waits() -> list[float]:
    """Seconds from a request's first DN to its settling."""
    settled = RequestRecipient.objects.filter(resolved_by="dn").values_list("pk", "resolved_at")
    first: dict[int, Any] = {}
    for recipient, at in DeliveryNotice.objects.exclude(recipient=None).values_list("recipient", "received_at"):
        first[recipient] = min(first.get(recipient, at), at)
    return [round((resolved_at - first[pk]).total_seconds(), 2) for pk, resolved_at in settled]


def _slowest_reading_s() -> float:
    """From the hook to the digest, of any DN: what the machine is busy with."""
    waits = InboundRaw.objects.exclude(digested_at=None).aggregate(longest=Max(F("digested_at") - F("received_at")))
    return round(waits["longest"].total_seconds(), 2)


def _wrong_adoptions(rig: Rig) -> int:
    """Adopted refs whose ledger lines are not to the request's own people."""
    people: dict[str, set[bytes]] = defaultdict(set)
    for line in rig.sandbox.ledger():
        people[line["ref"]].add(address_hmac(line["msisdn"]))
    adopted = ProviderRequest.objects.filter(resolved_by="dn").prefetch_related("recipients")
    return sum(
        {bytes(one.address_hmac) for one in request.recipients.all()} != people[request.ref] for request in adopted
    )

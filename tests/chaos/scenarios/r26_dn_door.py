"""500 DNs a second for 60 s, caller, database and digest on the same cores: p50 < 50 ms, p95 < 250 ms, none lost."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db.models import Count, F, Max, Min

from contacts.addresses import address_hmac
from messaging.models import DeliveryNotice, InboundRaw, Message
from tests.chaos import dns, load
from tests.chaos.rig import PLAIN, Rig

PER_S, SECONDS, LEAST_S, WARM = 500, 60, 10, 200
P50_MS, P95_MS, KEPT_PACE = 50, 250, 0.98
NEAR = 1_000  # calls among which their order is left to chance


def run(rig: Rig) -> dict[str, Any]:
    calls, load_before = PER_S * rig.size(SECONDS, least=LEAST_S), round(os.getloadavg()[0], 1)
    campaign = rig.campaign((calls + WARM) // 2, text=PLAIN)
    workers = rig.workers(2)
    rig.finish(campaign, seconds=300)
    workers.stop()
    rig.until(lambda: not rig.sandbox.state()["pending"]["dn"], seconds=60, what="DNs to nowhere")
    bodies = _bodies(rig)
    rig.web()
    rig.backstage()
    load.post(rig.hooks()["dn"], bodies[:WARM], per_s=100)  # each web process imports what it needs
    warm = InboundRaw.objects.count()
    measured = load.post(rig.hooks()["dn"], bodies[WARM:], per_s=PER_S)
    sent = bodies[WARM : WARM + len(measured.ms)]
    rig.until(lambda: not InboundRaw.objects.filter(digested_at=None).exists(), seconds=300, what="the digest's end")
    per_s = _stored_per_s(InboundRaw.objects.order_by("pk")[warm].pk)
    _judge(rig, measured, per_s)
    return {
        "cores": os.cpu_count(), "load_before": load_before, "calls": len(sent), "per_s": round(per_s, 1),
        "p50_ms": round(measured.at(0.5), 1), "p95_ms": round(measured.at(0.95), 1),
        "p99_ms": round(measured.at(0.99), 1), "slowest_ms": round(measured.at(1)),
        "slowest_digest_s": _slowest_digest_s(), **_examine(rig, sent, warm),
    }  # fmt: skip


def _bodies(rig: Rig) -> list[bytes]:
    """SENT and DELIVERED of everyone, in the order of the sending but for what overtakes."""
    ledger = rig.sandbox.ledger()
    bodies = [dns.form(line, *word) for line in ledger for word in (("SENT", "20"), ("DELIVERED", "000"))]
    near = [bodies[start : start + NEAR] for start in range(0, len(bodies), NEAR)]
    for some in near:
        rig.chance.shuffle(some)
    return [body for some in near for body in some]


def _judge(rig: Rig, measured: load.Load, per_s: float) -> None:
    rig.expect(not measured.trouble, f"an answer was {measured.trouble[:80]}")
    rig.expect(per_s >= KEPT_PACE * PER_S, f"only {per_s:.0f} calls a second")
    rig.expect(measured.at(0.5) < P50_MS, f"p50 {measured.at(0.5):.0f} ms")
    rig.expect(measured.at(0.95) < P95_MS, f"p95 {measured.at(0.95):.0f} ms")


def _examine(rig: Rig, sent: Sequence[bytes], warm: int) -> dict[str, int]:
    """Every call is one row and one notice of the right person, and who was reported delivered is."""
    rows = Counter(bytes(body) for body in InboundRaw.objects.order_by("pk").values_list("body", flat=True)[warm:])
    lost, twice = len(set(sent) - rows.keys()), sum(count > 1 for count in rows.values())
    notices = InboundRaw.objects.annotate(notices_of_it=Count("notices"))
    misread = notices.exclude(notices_of_it=1).count() + DeliveryNotice.objects.filter(recipient=None).count()
    wrong = sum(
        bytes(one.recipient.address_hmac) != address_hmac(one.msisdn)
        for one in DeliveryNotice.objects.exclude(recipient=None).select_related("recipient").iterator()
    )
    finals = DeliveryNotice.objects.filter(status="DELIVERED").values("recipient__message")
    behind = Message.objects.filter(pk__in=finals).exclude(delivery_state="delivered").count()
    early = Message.objects.exclude(pk__in=finals).filter(delivery_state="delivered").count()
    found = {"lost": lost, "twice": twice, "misread": misread, "wrong_person": wrong, "wrong_state": behind + early}
    for what, count in found.items():
        rig.expect(count == 0, f"{count} {what}")
    return found


def _stored_per_s(first: int) -> float:
    """Calls a second as their rows have it."""
    rows = InboundRaw.objects.filter(pk__gte=first)
    span = rows.aggregate(span=Max("received_at") - Min("received_at"))["span"]
    return (rows.count() - 1) / span.total_seconds()


def _slowest_digest_s() -> float:
    """From the call's row to its reading."""
    waits = InboundRaw.objects.aggregate(longest=Max(F("digested_at") - F("received_at")))
    return round(waits["longest"].total_seconds(), 2)

"""A person a request at 20 ms from the provider, all on the same cores: 200 a second sustained; also with DNs back."""

from __future__ import annotations

import os
from collections import Counter
from datetime import datetime
from typing import Any

from messaging.models import Campaign, InboundRaw, Message
from tests.chaos.rig import Rig

PEOPLE, PER_S = 15_000, 200
EACH_WAY_S = 0.01
SLICE_S = 10  # each whole one between the first and the last recipient has to keep the pace


def run(rig: Rig) -> dict[str, Any]:
    """The sandbox behind a wire rather than a bare sink: its ledger shows that nobody was doubled at this pace.

    The bar is on sending. The second campaign has its DNs come back while it is sent; that pace is told.
    """
    people, load_before = rig.size(PEOPLE, least=2_000), round(os.getloadavg()[0], 1)
    rig.wire_to_sandbox().rule(latency_s=EACH_WAY_S)
    first = rig.campaign(people)
    rig.celery("send", processes=3)
    rig.beat()
    rig.finish(first, seconds=900)
    per_s, slowest = _pace(rig, first)
    rig.expect(per_s >= PER_S, f"{per_s:.0f} a second")
    rig.expect(slowest >= PER_S, f"{slowest:.0f} a second in the slowest {SLICE_S} s")
    rig.until(lambda: not rig.sandbox.state()["pending"]["dn"], seconds=60, what="DNs to nowhere")
    rig.web()
    rig.celery("digest,house")
    second = rig.campaign(people)
    rig.finish(second, seconds=1800)
    dns = InboundRaw.objects.count()
    rig.expect(dns, "no DN came back")
    return {
        "cores": os.cpu_count(), "load_before": load_before, "per_s": round(per_s),
        f"slowest_{SLICE_S}_s": round(slowest), "with_dns_per_s": round(_pace(rig, second)[0]),
        "dns_meanwhile": dns, **rig.verdict([first, second], unknown_at_most=0).figures,
    }  # fmt: skip


def _pace(rig: Rig, campaign: Campaign) -> tuple[float, float]:
    """Recipients a second by the ledger: of all, and of the slowest whole slice."""
    numbers = set(Message.objects.filter(campaign=campaign).values_list("contact__msisdn", flat=True))
    lines = (line for line in rig.sandbox.ledger() if line["msisdn"] in numbers)
    moments = sorted(datetime.fromisoformat(line["at"]).timestamp() for line in lines)
    per_s = (len(moments) - 1) / (moments[-1] - moments[0])
    slices = Counter(int((moment - moments[0]) // SLICE_S) for moment in moments)
    return per_s, min((slices[n] / SLICE_S for n in range(max(slices))), default=per_s)

"""DNs by script: what the provider would have reported, put where the hooks put it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from messaging import ingest
from messaging.clock import db_now
from messaging.models import InboundRaw, Message
from tests.chaos.rig import Rig

SETTLE_S = 180.0  # after that it will not come to it


def settle_unknowns(rig: Rig) -> int:
    """A DELIVERED for everyone who is unknown here and in the ledger there; how many that was."""
    unknown = set(Message.objects.unknowns().values_list("contact__msisdn", flat=True))
    lines = [line for line in rig.sandbox.ledger() if line["msisdn"] in unknown]
    deliver(rig, lines)
    told = Message.objects.unknowns().filter(contact__msisdn__in=[line["msisdn"] for line in lines])
    until = time.monotonic() + SETTLE_S
    while told.exists() and time.monotonic() < until:
        if not ingest.digest_all() + ingest.retry_parked(db_now()):
            time.sleep(0.2)  # somebody else may have the turn
    return len(lines)


def deliver(rig: Rig, lines: Iterable[dict[str, Any]]) -> None:
    """Keep a DELIVERED for each of these ledger lines; its msgid has the position, as with several recipients."""
    rows = [
        InboundRaw(
            connection=rig.connection, kind=InboundRaw.Kind.DN, method="POST", body=form(line),
            content_type="application/x-www-form-urlencoded",
        )
        for line in lines
    ]  # fmt: skip
    InboundRaw.objects.bulk_create(rows, batch_size=1_000)


def form(line: dict[str, Any], status: str = "DELIVERED", error_code: str = "000") -> bytes:
    """The body of a DN for this ledger line."""
    msgid = f"{line['ref']}-{line['index']}"
    return urlencode({"status": status, "error-code": error_code, "msisdn": line["msisdn"], "msgid": msgid}).encode()

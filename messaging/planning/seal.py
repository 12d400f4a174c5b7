"""The plan's hash: what the approver saw is what leaves."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from messaging import text
from messaging.facts import Bodies, placeholder_values, render_lanes
from messaging.models import Campaign, Message
from messaging.policy import SENDING_LANES, Lane


def plan_hash(campaign: Campaign) -> str:
    """SHA-256 over a line `uuid|lane|reason|hex sha256 of the text or -` for each person, in UUID order."""
    digest = hashlib.sha256()
    for line in _plan_lines(campaign):
        digest.update(line.encode())
    return digest.hexdigest()


def _plan_lines(campaign: Campaign) -> Iterator[str]:
    bodies = Bodies.of_campaign(campaign)
    constant: dict[str, str] = {
        lane: text.body_sha256(body).hex() for lane, body in bodies.of.items() if not text.placeholders(body)
    }
    rows = (
        Message.objects.filter(campaign=campaign)
        .counted()
        .order_by("contact__public_id")
        .values_list(
            "contact__public_id",
            "planned_lane",
            "planned_reason",
            "contact__name",
            "contact__msisdn",
            "contact__fields",
        )
    )
    for public_id, lane, reason, name, msisdn, fields in rows.iterator(chunk_size=5_000):
        shown = constant.get(lane) or _text_hash(bodies, lane, placeholder_values(fields, name, msisdn))
        yield f"{public_id}|{lane}|{reason}|{shown}\n"


def _text_hash(bodies: Bodies, lane: str, values: dict[str, str]) -> str:
    if lane not in SENDING_LANES:
        return "-"
    words = render_lanes(bodies, values)[0].get(Lane(lane))
    return text.body_sha256(words).hex() if words else "-"

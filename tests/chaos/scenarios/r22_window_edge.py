"""Session windows end one by one while a slow campaign runs: no intent after window − margin, none after the window."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from contacts.models import Contact
from messaging.clock import db_now
from messaging.models import Connection, Conversation, Message, RequestRecipient
from messaging.policy import SESSION_WINDOW
from tests.chaos.rig import Rig

PEOPLE, RATE_PER_S, WORKERS = 1_000, 40, 2
SETTING_UP = timedelta(milliseconds=5)  # a person; where it takes longer, some windows are closed from the start


def run(rig: Rig) -> dict[str, Any]:
    count = rig.size(PEOPLE, least=100)
    Connection.objects.filter(pk=rig.connection.pk).update(rate_per_s=RATE_PER_S)
    margin = timedelta(seconds=rig.connection.window_margin_s)
    contacts = rig.contacts(count)
    edges = _edges(rig, contacts, margin)
    campaign = rig.campaign(contacts, session_text="Hi {{name}}", template_version=None)
    workers = rig.workers(WORKERS)
    rig.finish(campaign, seconds=600)
    workers.stop()
    late = _late(edges)
    rig.expect(not late, f"{len(late)} intents after window − margin, by up to {max(late, default=0)} s")
    beyond = [
        line["msisdn"]
        for line in rig.sandbox.ledger()
        if datetime.fromisoformat(line["at"]) > edges[line["msisdn"]] + margin
    ]
    rig.expect(not beyond, f"{len(beyond)} texts after the window itself")
    closed = Message.objects.filter(campaign=campaign, send_state="skipped", reason="window_closed").count()
    verdict = rig.verdict(campaign, unknown_at_most=0)
    rig.expect(0 < closed < count, f"{closed} of {count} windows closed: no edge was met")
    rig.expect(verdict.accepted + closed == count, f"{verdict.accepted} sent + {closed} closed of {count}")
    return {"closed": closed, "late": len(late), **verdict.figures}


def _edges(rig: Rig, contacts: list[Contact], margin: timedelta) -> dict[str, datetime]:
    """Window − margin of each person, in any order, spread over the time that the campaign will take."""
    now, takes_s = db_now() + SETTING_UP * len(contacts), 2 * len(contacts) / RATE_PER_S
    edges = {}
    for contact in contacts:
        edge = now + timedelta(seconds=rig.chance.uniform(0, takes_s))
        wrote_at = edge + margin - SESSION_WINDOW
        rig.sandbox.tell("mo", msisdn=contact.msisdn, text="Hello", at=wrote_at.isoformat())
        Conversation.objects.create(
            contact=contact,
            connection=rig.connection,
            channel="whatsapp",
            last_mo_at=wrote_at,
            last_message_at=wrote_at,
        )
        edges[str(contact.msisdn)] = edge
    return edges


def _late(edges: dict[str, datetime]) -> list[float]:
    """Seconds by which intents came after their edge."""
    rows = RequestRecipient.objects.values_list("message__contact__msisdn", "request__started_at")
    return [(started - edges[msisdn]).total_seconds() for msisdn, started in rows if started > edges[msisdn]]

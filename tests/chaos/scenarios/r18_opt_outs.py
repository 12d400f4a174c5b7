"""200 people write STOP amid a campaign: no intent commits after their opt-out; a gate that locks nobody is caught."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import connection as database

from contacts import consent
from contacts.models import ConsentEvent, Contact, Suppression
from messaging.clock import db_now
from messaging.models import Campaign, Message
from tests.chaos.bad_gates import drain_unlocked
from tests.chaos.children import Child
from tests.chaos.fleet import Fleet
from tests.chaos.nemesis import Nemesis
from tests.chaos.rig import PLAIN, Rig

PEOPLE, STOPS, WORKERS, AHEAD = 6_000, 200, 4, 60
AIMED_PEOPLE, AIMERS, LEAST_LATE = 6_000, 4, 1
LOG_SQL = """
CREATE TABLE chaos_commits (what text, address_hmac bytea, message_id bigint);
CREATE FUNCTION chaos_note() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN
    INSERT INTO chaos_commits VALUES (TG_ARGV[0], NEW.address_hmac, (to_jsonb(NEW)->>'message_id')::bigint);
    RETURN NULL;
END$$;
CREATE TRIGGER chaos_intent AFTER INSERT ON messaging_requestrecipient
    FOR EACH ROW EXECUTE FUNCTION chaos_note('intent');
CREATE TRIGGER chaos_opt_out AFTER INSERT ON contacts_suppression FOR EACH ROW EXECUTE FUNCTION chaos_note('opt-out');
"""
LATE_SQL = """
SELECT count(*) FROM chaos_commits intent JOIN chaos_commits opt_out USING (address_hmac)
JOIN messaging_message m ON m.id = intent.message_id
WHERE intent.what = 'intent' AND opt_out.what = 'opt-out' AND m.campaign_id = %s
  AND pg_xact_commit_timestamp(intent.xmin) > pg_xact_commit_timestamp(opt_out.xmin)
"""


def run(rig: Rig) -> dict[str, Any]:
    with database.cursor() as cursor:
        cursor.execute(LOG_SQL)
    figures = _stops(rig)
    aimed = _aimed(rig, lambda: rig.workers(1).members[0])
    rig.expect(aimed["late_intents"] == 0, f"aimed: {aimed['late_intents']} intents after the person's opt-out")
    wrong = _aimed(rig, lambda: rig.fork("bad gate", drain_unlocked))
    rig.expect(wrong["late_intents"] >= LEAST_LATE, f"a gate that locks nobody was not caught: {wrong}")
    return figures | {"aimed": aimed, "aimed_at_a_gate_without_lock": wrong}


def _stops(rig: Rig) -> dict[str, Any]:
    """By MO, all the way through the hook."""
    campaign = rig.campaign(rig.size(PEOPLE), text=PLAIN)
    rig.web()
    rig.sandbox.tell("dn", delay_s=3600)  # DNs are not what this is about
    rig.backstage()
    workers = rig.workers(WORKERS)
    nemesis = Nemesis(rig.chance, rig.samples.people(campaign))
    stops = rig.size(STOPS, least=20)
    nemesis.plan("STOP", stops, Stops(rig, campaign).somebody_ahead)
    rig.finish(campaign, nemesis=nemesis, seconds=900)
    rig.until(lambda: Suppression.objects.count() >= stops, seconds=120, what="every STOP")
    workers.stop()
    late = _late(campaign)
    rig.expect(late == 0, f"{late} intents committed after the person's opt-out")
    spared = Message.objects.filter(campaign=campaign, send_state="skipped").count()
    verdict = rig.verdict(campaign, only=lambda line: line["text"] == PLAIN)  # not what confirms an opt-out
    rig.samples.forget(campaign)
    return {"stops": stops, "late_intents": late, "spared": spared, **verdict.figures}


def _aimed(rig: Rig, worker: Callable[[], Child]) -> dict[str, int]:
    """Opt-outs as fast as they go, each of somebody whose message is claimed in that moment."""
    before = Suppression.objects.count()
    campaign = rig.campaign(rig.size(AIMED_PEOPLE, least=3_000), text=PLAIN)
    workers = Fleet(WORKERS, worker)
    aimers = [rig.fork("aimer", lambda: _aim(campaign.pk)) for _ in range(AIMERS)]
    rig.finish(campaign, seconds=300)
    for child in (*aimers, *workers.members):
        child.kill()
    rig.samples.forget(campaign)
    spared = Message.objects.filter(campaign=campaign, send_state="skipped").count()
    return {"opt_outs": Suppression.objects.count() - before, "spared": spared, "late_intents": _late(campaign)}


def _aim(campaign_id: int) -> None:
    """Until it is killed."""
    told: set[int] = set()
    claimed = Message.objects.filter(campaign=campaign_id, send_state="claimed")
    while True:
        ahead = Contact.objects.filter(pk__in=claimed.values("contact")[:AHEAD]).exclude(pk__in=told)
        for contact in ahead.order_by("?")[:1]:
            told.add(contact.pk)
            consent.opt_out(contact=contact, source=ConsentEvent.Source.PERSON, words="STOP", now=db_now())


def _late(campaign: Campaign) -> int:
    with database.cursor() as cursor:
        cursor.execute(LATE_SQL, [campaign.pk])
        return cursor.fetchone()[0]


class Stops:
    """People who have had enough."""

    def __init__(self, rig: Rig, campaign: Campaign) -> None:
        self._rig, self._campaign = rig, campaign
        self._told: set[str] = set()

    def somebody_ahead(self) -> None:
        """One of those whose turn is next; at the very end, anybody."""
        rows = Message.objects.filter(campaign=self._campaign).exclude(contact__msisdn__in=self._told)
        numbers = rows.order_by("pk").values_list("contact__msisdn", flat=True)
        msisdn = self._rig.chance.choice(numbers.filter(send_state="queued")[:AHEAD] or numbers[:AHEAD])
        self._told.add(msisdn)
        self._rig.sandbox.tell("mo", msisdn=msisdn, text="STOP")

"""200 people write STOP at random moments of a campaign: no intent commits after the commit of their opt-out."""

from __future__ import annotations

from typing import Any

from django.db import connection as database

from contacts.models import Suppression
from messaging.models import Campaign, Message
from tests.chaos.nemesis import Nemesis
from tests.chaos.rig import PLAIN, Rig

PEOPLE, STOPS, WORKERS, AHEAD = 6_000, 200, 4, 60
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
WHERE intent.what = 'intent' AND opt_out.what = 'opt-out' AND m.purpose <> 'opt_out_confirmation'
  AND pg_xact_commit_timestamp(intent.xmin) > pg_xact_commit_timestamp(opt_out.xmin)
"""


def run(rig: Rig) -> dict[str, Any]:
    with database.cursor() as cursor:
        cursor.execute(LOG_SQL)
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
    with database.cursor() as cursor:
        cursor.execute(LATE_SQL)
        late = cursor.fetchone()[0]
    rig.expect(late == 0, f"{late} intents committed after the person's opt-out")
    spared = Message.objects.filter(campaign=campaign, send_state="skipped").count()
    verdict = rig.verdict(campaign, only=lambda line: line["text"] == PLAIN)  # not what confirms an opt-out
    return {"stops": stops, "late_intents": late, "spared": spared, **verdict.figures}


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

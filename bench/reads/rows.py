"""People in one list, and what was said to each over the months: seven campaigns, and a talk of three messages.

Everything is written by set-based SQL, without the triggers and foreign-key checks, which have nothing to say to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bench.crowd import fill, hand_over, hmac_keys, hmac_sql, run_sql
from bench.house import House as SmallHouse
from bench.sink import Sink
from contacts.models import ConsentEvent, Contact, ListMembership, Suppression
from messaging import campaigns
from messaging.clock import db_now
from messaging.models import Campaign, Conversation, Message

EACH = 10  # messages of a person who has any
CAMPAIGNS, TALK = 7, 3
CHUNK = 50_000  # people whose messages are written at once
TEXT = "Dear {{name}}, see you at nine."
UNSENT_SHARE = 10  # of the last campaign, which is running, one in so many people has not had it yet


class House:
    """Person n has the contact id `first + n`; the first `messages / EACH` people have messages."""

    def __init__(self) -> None:
        self.small = SmallHouse(Sink("http://127.0.0.1:9", 0), people=0)
        self.people = self.messages = self.first = 0
        self.campaigns = [self.draft(TEXT).pk for _ in range(CAMPAIGNS)]
        with _without_triggers():
            for campaign in self.campaigns:
                state = "running" if campaign == self.campaigns[-1] else "finished"
                self._send_out(campaign, state)

    def draft(self, text: str) -> Campaign:
        """To everybody, with a text for each lane."""
        writer, now = self.small.writer, db_now()
        campaign = campaigns.create_campaign(
            user=writer, now=now, name=f"{text[:40]} {Campaign.objects.count()}", connection=self.small.connection,
            template_version=self.small.version(text), session_text=text, sms_text=text,
        )  # fmt: skip
        return campaigns.edit_campaign(campaign=campaign, user=writer, version=0, now=now, include=[self.small.list])

    def grow(self, people: int, messages: int) -> None:
        """Until there are so many."""
        talked_to = messages // EACH
        assert talked_to <= people, "ten messages a person at the most"
        with _without_triggers():
            self._move_in(people)
            while self.messages < talked_to * EACH:
                self._talk_to(min(self.messages // EACH + CHUNK, talked_to))
        run_sql("VACUUM ANALYZE")

    def _send_out(self, campaign: int, state: str) -> None:
        run_sql(
            """UPDATE messaging_campaign SET state = %(state)s, submitted_by_id = %(writer)s, submitted_at = now(),
                      texts_sha256 = sha256('texts'), approved_by_id = %(approver)s, approved_at = now(),
                      plan_sealed_at = now(), plan_hash = repeat('0', 64), launched_at = now(),
                      launched_by_id = %(approver)s,
                      finished_at = CASE %(state)s WHEN 'finished' THEN now() END WHERE id = %(campaign)s""",
            state=state, campaign=campaign, writer=self.small.writer.pk, approver=self.small.approver.pk,
        )  # fmt: skip

    def _move_in(self, people: int) -> None:
        if people <= self.people:
            return
        of_new = f"generate_series({self.people}, {people - 1}) AS n"
        msisdn = "('6012' || lpad((n + 1000000)::text, 8, '0'))"
        first = fill(
            Contact, f"{of_new} ORDER BY n", hmac_keys(), msisdn=msisdn, address_hmac=hmac_sql(msisdn),
            name="'Aminah binti Ahmad ' || n",
            whatsapp_bad_at="CASE WHEN n %% 100 = 7 THEN now() END", sms_bad_at="CASE WHEN n %% 150 = 7 THEN now() END",
        )  # fmt: skip
        self.first = first - self.people
        contact = f"{self.first} + n"
        fill(ListMembership, of_new, contact_list_id=str(self.small.list.pk), contact_id=contact)
        fill(
            Conversation, of_new, contact_id=contact, connection_id=str(self.small.connection.pk),
            channel="'whatsapp'", last_message_at="now() - (n %% 90) * interval '1 day'", unread="0",
            last_mo_at="CASE n %% 4 WHEN 0 THEN now() - interval '1 hour' WHEN 1 THEN now() - interval '9 days' END",
        )  # fmt: skip
        self._opt_out(of_new)
        self.people = people

    def _opt_out(self, of_new: str) -> None:
        """One in fifty."""
        contact = f"{self.first} + n"
        event = fill(
            ConsentEvent, f"{of_new} JOIN contacts_contact c ON c.id = {contact} WHERE n %% 50 = 11",
            contact_id="c.id", address_hmac="c.address_hmac", channel="'all'", purpose="'all'", direction="'out'",
            source="'person'", words="'STOP'", at="now() - interval '30 days'",
        )  # fmt: skip
        fill(
            Suppression, f"contacts_consentevent WHERE id >= {event}",
            address_hmac="address_hmac", source="source", event_id="id", since="at",
        )  # fmt: skip

    def _talk_to(self, people: int) -> None:
        """The next people's messages: campaign by campaign, so that one person's are spread over the table."""
        of_new = f"generate_series({self.messages // EACH}, {people - 1}) AS n"
        before = _last_id()
        for age, campaign in enumerate(reversed(self.campaigns)):
            self._campaign(campaign, of_new, age)
        self._replies(of_new)
        fresh = f"id > {before} AND send_state = 'accepted' AND direction = 'mt'"
        hand_over(self.small.connection, f"{fresh} AND campaign_id IS NOT NULL", "accepted", 5)
        hand_over(self.small.connection, f"{fresh} AND campaign_id IS NULL", "accepted", 1)
        self.messages = people * EACH

    def _campaign(self, campaign: int, of_new: str, age: int) -> None:
        waits = f"n %% {UNSENT_SHARE} = 0" if campaign == self.campaigns[-1] else "false"
        at = f"now() - interval '{age * 10} days' - (n %% 100000) * interval '20 ms'"
        fill(
            Message, of_new, contact_id=f"{self.first} + n", connection_id=str(self.small.connection.pk),
            campaign_id=str(campaign), planned_lane="'template'", planned_reason="'template_approved'",
            send_state=f"CASE WHEN {waits} THEN 'queued' ELSE 'accepted' END",
            delivery_state=f"CASE WHEN {waits} THEN 'none' WHEN n %% 20 = 1 THEN 'undelivered' ELSE 'delivered' END",
            lane=f"CASE WHEN {waits} THEN '' ELSE 'template' END",
            reason=f"CASE WHEN {waits} THEN '' ELSE 'template_approved' END",
            channel=f"CASE WHEN {waits} THEN '' ELSE 'whatsapp' END",
            timeline_at=at, accepted_at=f"CASE WHEN NOT {waits} THEN {at} END",
            due_at=f"CASE WHEN {waits} THEN {at} END",
        )  # fmt: skip

    def _replies(self, of_new: str) -> None:
        """They ask, we answer, they thank."""
        ours = "s = 1"
        fill(
            Message, f"{of_new}, generate_series(0, {TALK - 1}) AS s",
            contact_id=f"{self.first} + n", connection_id=str(self.small.connection.pk), channel="'whatsapp'",
            direction=f"CASE WHEN {ours} THEN 'mt' ELSE 'mo' END", send_state="'accepted'",
            delivery_state=f"CASE WHEN {ours} THEN 'delivered' ELSE 'none' END",
            lane=f"CASE WHEN {ours} THEN 'session' ELSE '' END",
            reason=f"CASE WHEN {ours} THEN 'window_open' ELSE '' END",
            author_id=f"CASE WHEN {ours} THEN {self.small.writer.pk} END",
            body="(ARRAY['When do you open?', 'At nine, see you then.', 'Terima kasih!'])[s + 1]",
            timeline_at="now() - interval '5 days' + s * interval '1 minute'",
        )  # fmt: skip


def _last_id() -> int:
    last = Message.objects.order_by("-pk").first()
    return last.pk if last else 0


@contextmanager
def _without_triggers() -> Iterator[None]:
    run_sql("SET session_replication_role = replica")
    try:
        yield
    finally:
        run_sql("SET session_replication_role = origin")

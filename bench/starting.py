"""A large campaign's rows: written when approval is asked for, decided again at launch, beside the bare INSERT.

The baseline writes as many rows into the same table with the same indexes in one `INSERT … SELECT`, asking no rule.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from django.contrib.auth.models import User

from bench.crowd import fill, hmac_keys, hmac_sql, numbers, run_sql
from bench.figures import Pair
from contacts.models import Contact, ContactList, ListMembership
from messaging import approval, campaigns, planning
from messaging.clock import db_now
from messaging.models import Campaign, Connection, ConnectionPace, Message
from messaging.sending.claim import Marks, claim

PEOPLE = 200_000
TEXT = "Dear {{name}}, the clinic opens at nine tomorrow."


def run(*, runs: int, people: int) -> None:
    """Print rows a second of the plan and of the start, and how long after launch the first row can be claimed."""
    writer, approver = (User.objects.create_user(f"starting-{name}") for name in ("writer", "approver"))
    everybody, connection = _people(people), _connection()
    plan, start = Pair("plan: rows written", "rows/s"), Pair("start: rows decided again", "rows/s")
    waits = []
    for _ in range(runs):
        bare = _draft(writer, everybody, connection)
        campaigns.submit_campaign(campaign=bare, user=writer, now=db_now())
        plan.baseline.append(people / _took(_bare_insert, bare))
        campaign = _draft(writer, everybody, connection)
        campaigns.submit_campaign(campaign=campaign, user=writer, now=db_now())
        plan.ours.append(people / _took(planning.materialise, campaign.pk, db_now()))
        campaign.refresh_from_db()
        assert Message.objects.filter(campaign=campaign).count() == people
        approval.approve_campaign(campaign=campaign, user=approver, plan_hash=campaign.plan_hash, now=db_now())
        start.baseline.append(people / _took(_bare_update, bare))
        campaigns.launch_campaign(campaign=campaign, user=approver, now=db_now())
        started, wait = _start(campaign, connection)
        start.ours.append(people / started)
        waits.append(wait)
        run_sql("DELETE FROM messaging_message")
        run_sql("VACUUM ANALYZE messaging_message")
    plan.show()
    start.show()
    print(f"first row claimed after launch: {max(waits):.2f} s at the most")


def _people(people: int) -> ContactList:
    msisdn = "('6012' || lpad((n + 1000000)::text, 8, '0'))"
    first = fill(
        Contact, f"{numbers(people)} ORDER BY n", hmac_keys(), msisdn=msisdn, address_hmac=hmac_sql(msisdn),
        name="'Aminah binti Ahmad ' || n",
    )  # fmt: skip
    everybody = ContactList.objects.create(name="Everybody")
    fill(ListMembership, numbers(people), contact_list_id=str(everybody.pk), contact_id=f"{first} + n")
    run_sql("VACUUM ANALYZE")
    return everybody


def _connection() -> Connection:
    connection = Connection.objects.create(
        name="Starting", kind="sandbox", base_url="http://127.0.0.1:9", app_key="k", app_secret="s"
    )
    ConnectionPace.objects.create(connection=connection, next_at=db_now())
    return connection


def _draft(writer: User, everybody: ContactList, connection: Connection) -> Campaign:
    name = f"Everybody {Campaign.objects.count()}"
    campaign = campaigns.create_campaign(user=writer, now=db_now(), name=name, connection=connection, sms_text=TEXT)
    return campaigns.edit_campaign(campaign=campaign, user=writer, version=0, now=db_now(), include=[everybody])


def _bare_insert(campaign: Campaign) -> None:
    fill(
        Message, "(SELECT contact_id FROM contacts_listmembership ORDER BY 1) m", contact_id="contact_id",
        connection_id=str(campaign.connection_id), campaign_id=str(campaign.pk), planned_lane="'sms'",
        planned_reason="'sms_text'", timeline_at="now()",
    )  # fmt: skip


def _bare_update(campaign: Campaign) -> None:
    run_sql("UPDATE messaging_message SET send_state = 'queued' WHERE campaign_id = %(campaign)s", campaign=campaign.pk)


def _start(campaign: Campaign, connection: Connection) -> tuple[float, float]:
    """How long the start took, and from when on a worker could claim a row of it."""
    begun, first = time.monotonic(), None
    while campaigns.start_chunk(campaign.pk, db_now()):
        if first is None and claim(connection, limit=1, marks=Marks()).ids:
            first = time.monotonic() - begun
    took = time.monotonic() - begun
    return took, took if first is None else first


def _took(work: Callable[..., object], *arguments: object) -> float:
    begun = time.monotonic()
    work(*arguments)
    return time.monotonic() - begun

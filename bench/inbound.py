"""DNs coming in: the door beside a view that does nothing on the same server, the digest beside one batched UPDATE."""

from __future__ import annotations

import time

from django.contrib.auth.models import User
from django.db import connection as database

from bench.bare import PATH
from bench.crowd import fill, hmac_keys, hmac_sql, numbers, run_sql
from bench.figures import Pair
from bench.serving import call, server
from contacts.models import Contact, ContactList
from messaging import campaigns, connections, ingest
from messaging.clock import db_now
from messaging.models import (
    Campaign,
    Connection,
    DeliveryNotice,
    InboundRaw,
    Message,
    ProviderRequest,
    RequestRecipient,
)

PEOPLE = 20_000  # DNs that the digest applies in a run
SECONDS = 5.0
EASY = 0.7  # of the door's maximum: where its p99 is taken
HEAD = "{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
BATCH = 1_000  # as many as the digest reads at once
# Each of ours is found by its ref and number, and keeps the DN besides.
UPDATE_SQL = """
UPDATE messaging_message m SET delivery_state = 'delivered', error_code = '000', final_at = now(),
       final_received_at = now(), final_notice = id
FROM unnest(%(ids)s::bigint[]) AS told(message) WHERE m.id = told.message
"""
DN = "status=DELIVERED&error-code=000&msisdn=6012{n:08}&msgid=78-{n}.0602-0"


def run(*, runs: int, people: int) -> None:
    """Print calls a second and their p99, then DNs a second from the raw call to the message's row."""
    connection, token = connections.create_connection(
        name="Inbound", kind="sandbox", base_url="http://127.0.0.1:9", app_key="k", app_secret="s",
        user=User.objects.create_user("inbound"), now=db_now(),
    )  # fmt: skip
    _door(token, runs)
    _digest(connection, runs, people)


def _door(token: str, runs: int) -> None:
    notices = [_request("POST", f"/hooks/{token}/dn", DN.format(n=n)) for n in range(1000)]
    nothing = [_request("GET", PATH, "")]
    pair = Pair("DN door", "calls/s")
    with server() as url:
        call(url, notices, seconds=1.0)
        for _ in range(runs):
            pair.baseline.append(call(url, nothing, seconds=SECONDS).per_s)
            before = InboundRaw.objects.count()
            load = call(url, notices, seconds=SECONDS)
            pair.ours.append(load.per_s)
            assert InboundRaw.objects.count() - before >= len(load.ms), "an answered call is not there"
        pair.show()
        easy = call(url, notices, seconds=SECONDS, per_s=EASY * min(pair.ours))
    print(f"DN door at {EASY:.0%} of that: {easy.per_s:,.0f} calls/s, p99 {easy.p99:.0f} ms")
    run_sql("DELETE FROM messaging_inboundraw")


def _request(method: str, path: str, body: str) -> bytes:
    head = HEAD.format(method=method, path=path)
    return f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()


def _digest(connection: Connection, runs: int, people: int) -> None:
    """One recipient a request, as personal texts have it."""
    first = _submitted(connection, people)
    pair = Pair("digest of DNs", "DNs/s")
    for _ in range(runs):
        _not_delivered_yet()
        begun = time.monotonic()
        for start in range(first, first + people, BATCH):
            run_sql(UPDATE_SQL, ids=list(range(start, min(start + BATCH, first + people))))
        pair.baseline.append(people / (time.monotonic() - begun))
        _not_delivered_yet()
        fill(
            InboundRaw, numbers(people), connection_id=str(connection.pk), kind="'dn'", method="'POST'",
            content_type="'application/x-www-form-urlencoded'", received_at="now()",
            body="""convert_to('status=DELIVERED&error-code=000&msisdn=6012' || lpad(n::text, 8, '0')
                               || '&msgid=78-' || n || '.0602', 'UTF8')""",
        )  # fmt: skip
        run_sql("VACUUM ANALYZE messaging_inboundraw")
        begun = time.monotonic()
        assert ingest.digest_connection(connection.pk, kind="dn", budget_s=600) == people
        pair.ours.append(people / (time.monotonic() - begun))
        assert Message.objects.filter(delivery_state="delivered").count() == people
    pair.show()


def _submitted(connection: Connection, people: int) -> int:
    """The first of as many accepted messages, each with its request and ref."""
    msisdn = "('6012' || lpad(n::text, 8, '0'))"
    contact = fill(Contact, f"{numbers(people)} ORDER BY n", hmac_keys(), msisdn=msisdn, address_hmac=hmac_sql(msisdn))
    message = fill(
        Message, f"{numbers(people)} ORDER BY n", contact_id=f"{contact} + n", connection_id=str(connection.pk),
        campaign_id=str(_campaign(connection).pk), planned_lane="'template'", accepted_at="now()",
        send_state="'accepted'", lane="'template'", channel="'whatsapp'", timeline_at="now()",
    )  # fmt: skip
    request = fill(
        ProviderRequest, f"{numbers(people)} ORDER BY n", connection_id=str(connection.pk), token="gen_random_uuid()",
        channel="'whatsapp'", lane="'template'", text="'Hello'", started_at="now()", deadline="now()",
        outcome="'accepted'", ref="'78-' || n || '.0602'",
    )  # fmt: skip
    fill(
        RequestRecipient, f"{numbers(people)} ORDER BY n", hmac_keys(), request_id=f"{request} + n", position="0",
        message_id=f"{message} + n", address_hmac=hmac_sql(msisdn), outcome="'accepted'",
    )  # fmt: skip
    return message


def _campaign(connection: Connection) -> Campaign:
    """One in review, which still takes people in."""
    user = User.objects.get(username="inbound")
    everybody = ContactList.objects.create(name="Inbound")
    made = campaigns.create_campaign(user=user, now=db_now(), name="Inbound", connection=connection, sms_text="Hello")
    made = campaigns.edit_campaign(campaign=made, user=user, version=0, now=db_now(), include=[everybody])
    return campaigns.submit_campaign(campaign=made, user=user, now=db_now())


def _not_delivered_yet() -> None:
    DeliveryNotice.objects.all().delete()
    with database.cursor() as cursor:
        cursor.execute("DELETE FROM messaging_inboundraw")
        cursor.execute(
            "UPDATE messaging_message SET delivery_state = 'none', final_received_at = NULL, final_notice = NULL"
        )
        cursor.execute("VACUUM ANALYZE messaging_message, messaging_deliverynotice")

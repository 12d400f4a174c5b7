import time

import pytest
from django.db import connection as database
from prometheus_client.parser import text_string_to_metric_families

from messaging import heart
from messaging.metrics import GAUGES
from messaging.models import InboundRaw, Incident, Message
from tests.factories import make_contact, make_running_campaign

pytestmark = pytest.mark.django_db


def scraped(client):
    answer = client.get("/metrics")
    assert answer.status_code == 200
    families = text_string_to_metric_families(answer.content.decode())
    return {(one.name, *one.labels.values()): one.value for family in families for one in family.samples}


def test_it_tells_what_waits_what_is_in_doubt_and_what_stands_still(client, connection):
    make_running_campaign(connection, [make_contact(name=f"Person {n}") for n in range(4)])
    first = Message.objects.earliest("pk")
    Message.objects.filter(pk=first.pk).update(send_state="unknown", lane="template")
    InboundRaw.objects.create(connection=connection, kind="dn", method="POST")
    Incident.objects.create(connection=connection, kind="stuck", opened_at=first.created_at)
    heart.beat("tick")
    told = scraped(client)
    assert told["switchboard_messages", "Klang", "queued"] == 3
    assert told["switchboard_messages", "Klang", "unknown"] == 1
    assert told["switchboard_messages", "Klang", "sending"] == 0
    assert 0 < told["switchboard_oldest_due_seconds", "Klang"] < 60
    assert told["switchboard_undigested_calls", "Klang", "dn"] == 1
    assert told["switchboard_open_incidents", "Klang", "stuck"] == 1
    assert told["switchboard_connection_sending", "Klang", "ok"] == 1
    assert 0 <= told["switchboard_heartbeat_age_seconds", "tick"] < 5
    assert told["switchboard_spool_bytes",] == 0


@pytest.mark.parametrize(("peer", "status"), [("127.0.0.1", 200), ("::1", 200), ("172.18.0.1", 404), ("", 404)])
def test_only_the_loopback_may_read_it_unless_others_are_named(client, peer, status):
    assert client.get("/metrics", REMOTE_ADDR=peer).status_code == status


def test_a_named_network_may_read_it(client, settings):
    settings.METRICS_PEERS = ["10.0.0.0/8"]
    assert client.get("/metrics", REMOTE_ADDR="10.1.2.3").status_code == 200


def test_whoever_comes_through_the_proxy_from_outside_may_not(client, settings):
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    forwarded = {"REMOTE_ADDR": "10.0.0.2", "HTTP_X_FORWARDED_FOR": "203.0.113.9"}
    assert client.get("/metrics", **forwarded).status_code == 404


def test_no_figure_reads_a_whole_table_of_messages_requests_or_calls(connection):
    """At 10,000,000 rows a scrape must cost what it costs at ten."""
    big = {"messaging_message", "messaging_providerrequest", "messaging_deliverynotice", "messaging_inboundraw"}
    with database.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for gauge in GAUGES:
            cursor.execute(f"EXPLAIN {gauge.sql}")
            plan = "\n".join(row[0] for row in cursor.fetchall())
            assert not [table for table in big if f"Seq Scan on {table}" in plan], plan


def test_a_scrape_is_quick(client, connection):
    began = time.monotonic()
    scraped(client)
    assert time.monotonic() - began < 2

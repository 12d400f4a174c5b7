"""A system that was written for the provider, from its call to its DN, over the real twin, hooks and webhooks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import parse_qsl

import pytest
from django.test import Client

from contacts import consent
from contacts.models import ConsentEvent
from messaging import ingest, sending
from messaging.clock import db_now
from messaging.models import Connection
from messaging.providers.bulk360 import SEND_PATH
from messaging.webhooks import create_door_endpoint, deliver
from tests.door.conftest import Account, make_account
from tests.factories import make_contact, make_hook_token
from tests.rig import wait_until
from tests.twin import AMINAH, FARID, Twin
from tests.webhooks.receivers import Receiver, receiving


@pytest.fixture
def listener(settings) -> Iterator[Receiver]:
    """Where the old system takes its DNs and MOs."""
    settings.WEBHOOKS_ALLOW_HTTP, settings.WEBHOOKS_PORTS = True, []
    settings.WEBHOOKS_ALLOWED_NETWORKS = ["127.0.0.0/8"]
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def hooked(connection: Connection, twin_process: Twin, port: int) -> Iterator[Twin]:
    """The twin with its DNs and MOs going to our server's hooks."""
    base = f"http://127.0.0.1:{port}/hooks/{make_hook_token(connection)}"
    account = {"user": twin_process.user, "pass": twin_process.secret}
    twin_process.control("accounts", hooks={"dn": f"{base}/dn", "mo": f"{base}/mo"}, **account)
    twin_process.control("dn", delay_s=0.05)
    yield twin_process
    twin_process.control("accounts", hooks={"dn": None, "mo": None}, **account)


def told(listener: Receiver) -> list[dict[str, str]]:
    return [dict(parse_qsl(call.body.decode())) for call in listener.calls]


def statuses(listener: Receiver) -> list[str]:
    return [dn.get("status", "") for dn in told(listener)]


def subscribe(account: Account, listener: Receiver, shape: str) -> None:
    create_door_endpoint(door_client=account.client, shape=shape, url=listener.url, now=db_now())


def digest_and_deliver() -> bool:
    ingest.digest_all(budget_s=1)
    return deliver(to_the_end=True) > 0


@pytest.mark.django_db(transaction=True)
def test_dns_come_back_under_the_ref_and_whom_we_may_not_write_to_is_reported_as_the_provider_would(
    connection, hooked, listener
):
    account = make_account(connection)
    subscribe(account, listener, "door_dn")
    stopped = make_contact(FARID)
    consent.opt_out(contact=stopped, source=ConsentEvent.Source.PERSON, words="STOP", now=db_now())
    answer = Client().post(SEND_PATH, account.form(to=f"{AMINAH},{FARID}", text="Good day"))
    ref = json.loads(answer.content)["ref"]
    sending.drain(connection.pk)
    wait_until(lambda: digest_and_deliver() and "DELIVERED" in statuses(listener), seconds=20, what="the last DN")
    sent = {"status": "SENT", "error-code": "20", "msisdn": AMINAH, "msgid": f"{ref}-0"}
    said = [dn for dn in told(listener) if dn != sent]  # none where both were read at once
    assert sorted(said, key=lambda dn: dn["msgid"]) == [
        {"status": "DELIVERED", "error-code": "000", "msisdn": AMINAH, "msgid": f"{ref}-0"},
        {"status": "UNDELIVERED", "error-code": "571", "msisdn": FARID, "msgid": f"{ref}-1"},
    ]
    assert [line["msisdn"] for line in hooked.ledger()] == [AMINAH]


@pytest.mark.django_db(transaction=True)
def test_what_people_write_comes_to_the_client_with_the_fields_that_the_twin_sends(connection, hooked, listener):
    subscribe(make_account(connection), listener, "door_mo")
    hooked.control("mo", msisdn=AMINAH, text="Is it there?", id="mo-7")
    wait_until(digest_and_deliver, seconds=20, what="the MO")
    (mo,) = told(listener)
    assert (mo["from"], mo["text"], mo["moid"], mo["channel"]) == (AMINAH, "Is it there?", "mo-7", "whatsapp")
    assert mo["to"].isdigit()
    assert mo["time"]

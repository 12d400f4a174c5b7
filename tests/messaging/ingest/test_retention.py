"""Calls are kept for a month as they came; what they said stays where it was applied."""

from __future__ import annotations

from datetime import timedelta

import pytest

from messaging import ingest
from messaging.clock import db_now
from messaging.ingest import retention
from messaging.models import DeliveryNotice, InboundRaw, Message
from tests.factories import make_contact, make_mt, make_raw, make_request

pytestmark = pytest.mark.django_db


@pytest.fixture
def message(connection) -> Message:
    message = make_mt(connection=connection, contact=make_contact(msisdn="60123240066"), send_state="accepted")
    make_request([message], ref="78-1.5")
    return message


def receive(connection, kind: str, body: str) -> InboundRaw:
    raw = make_raw(connection, kind, body.encode(), content_type="application/x-www-form-urlencoded")
    ingest.digest_all()
    raw.refresh_from_db()
    return raw


def dn(ref: str) -> str:
    return f"status=DELIVERED&error-code=000&msisdn=60123240066&msgid={ref}"


def a_month_later():
    return db_now() + retention.KEPT_FOR + timedelta(minutes=1)


def test_a_call_goes_after_a_month_and_its_notice_stays_with_its_message(connection, message):
    raw = receive(connection, "dn", dn("78-1.5"))
    assert ingest.forget_raw(db_now() + retention.KEPT_FOR - timedelta(minutes=1)) == 0
    assert ingest.forget_raw(a_month_later()) == 1
    assert not InboundRaw.objects.filter(pk=raw.pk).exists()
    notice = DeliveryNotice.objects.get()
    assert (notice.raw, notice.state, notice.status) == (None, "applied", "DELIVERED")
    message.refresh_from_db()
    assert message.delivery_state == "delivered"


def test_a_notice_that_found_nobody_goes_with_its_call(connection, message):
    receive(connection, "dn", dn("99-9.9"))
    assert DeliveryNotice.objects.get().state == "parked"
    assert ingest.forget_raw(a_month_later()) == 1
    assert not DeliveryNotice.objects.exists()


def test_what_a_person_wrote_stays(connection, message):
    receive(connection, "mo", "from=60123240066&text=Hello&moid=m1")
    received = Message.objects.mos().get()
    assert ingest.forget_raw(a_month_later()) == 1
    received.refresh_from_db()
    assert (received.raw, received.body) == (None, "Hello")


def test_a_call_that_nobody_has_read_yet_is_kept(connection):
    make_raw(connection, "dn", b"", digested_at=None)
    assert ingest.forget_raw(a_month_later()) == 0
    assert InboundRaw.objects.exists()


def test_so_many_at_a_time(connection, monkeypatch):
    monkeypatch.setattr(retention, "CHUNK", 2)
    for _ in range(3):
        make_raw(connection, "dn", b"")
    ingest.digest_all()
    assert [ingest.forget_raw(a_month_later()) for _ in range(3)] == [2, 1, 0]

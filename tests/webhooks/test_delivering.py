"""Events reach their receivers: signed, at least once, under one id, and no receiver waits for another."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection as database
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from messaging.clock import db_now
from messaging.errors import WrongState
from messaging.models import (
    ApiClient,
    AuditEvent,
    DoorCall,
    DoorRecipient,
    EventType,
    Message,
    OutboxEvent,
    WebhookDelivery,
    WebhookEndpoint,
)
from messaging.webhooks import (
    create_door_endpoint,
    create_endpoint,
    deliveries,
    disable_endpoint,
    pause_endpoint,
    recording,
    replay,
    replay_range,
    resume_endpoint,
    rotate_secret,
    stopped_by_themselves,
    tidy,
)
from messaging.webhooks.claiming import AT_ONCE, claim
from messaging.webhooks.delivering import Deliverer
from messaging.webhooks.posting import BODY_LIMIT, Reply, post
from messaging.webhooks.recording import PAUSED_AFTER, Result, record
from tests.factories import make_connection, make_contact, make_mo, make_mt, make_user
from tests.webhooks.conftest import subscribe
from tests.webhooks.receivers import receiving
from tests.webhooks.test_outbox import make_door

pytestmark = pytest.mark.django_db(transaction=True)

ROOT = Path(__file__).resolve().parents[2]
STATE = WebhookDelivery.State


def happen(many: int = 1, **fields: object) -> list[Message]:
    """As many messages that were accepted just now, so as many events."""
    contact = make_contact()
    connection = make_connection()
    rows = [make_mt(contact=contact, connection=connection, **fields) for _ in range(many)]
    Message.objects.filter(pk__in=[row.pk for row in rows]).update(send_state="accepted")
    return rows


def run(budget_s: float = 10.0) -> int:
    return Deliverer().run(budget_s=budget_s, to_the_end=True)


def make_due() -> None:
    WebhookDelivery.objects.update(next_at=db_now())
    WebhookEndpoint.objects.update(quiet_until=None)


def test_an_event_arrives_signed_with_what_happened_in_it(receiver):
    endpoint, secret = create_endpoint(
        url=receiver.url, event_types=[EventType.MESSAGE_STATUS], owner=make_user(), now=db_now()
    )
    (message,) = happen(reference="order 7")
    assert run() == 1
    (call,) = receiver.calls
    said = Webhook(secret).verify(call.body, call.headers)
    event = OutboxEvent.objects.get()
    assert call.path == "/hook?token=1"
    assert call.headers["webhook-id"] == said["id"] == str(event.public_id)
    assert said["type"] == "message.status" and said["timestamp"] == event.at.isoformat()
    assert said["data"] == {
        "id": str(message.public_id), "reference": "order 7", "to": message.contact.msisdn, "seq": 1,
        "status": "accepted", "send_state": "accepted", "delivery_state": "none", "channel": "whatsapp",
        "lane": "session", "reason": "", "error_code": "",
    }  # fmt: skip
    delivery = endpoint.deliveries.get()
    assert (delivery.state, delivery.tries) == (STATE.DELIVERED, 1)
    assert (delivery.attempts.get().status, delivery.attempts.get().answer) == (200, "thanks")


def test_a_changed_body_or_another_secret_does_not_verify(receiver):
    _endpoint, secret = create_endpoint(
        url=receiver.url, event_types=[EventType.MESSAGE_STATUS], owner=make_user(), now=db_now()
    )
    happen()
    run()
    (call,) = receiver.calls
    for body, key in ((call.body + b" ", secret), (call.body, "whsec_" + "A" * 43 + "=")):
        with pytest.raises(WebhookVerificationError):
            Webhook(key).verify(body, call.headers)


def test_during_a_rotation_both_secrets_verify_and_a_day_later_the_new_one_alone(receiver):
    endpoint, first = create_endpoint(
        url=receiver.url, event_types=[EventType.MESSAGE_STATUS], owner=make_user(), now=db_now()
    )
    second = rotate_secret(endpoint=endpoint, user=make_user(), now=db_now())
    happen()
    run()
    for secret in (first, second):
        Webhook(secret).verify(receiver.calls[0].body, receiver.calls[0].headers)
    endpoint.secrets.exclude(expires_at=None).update(expires_at=db_now())
    happen()
    run()
    Webhook(second).verify(receiver.calls[1].body, receiver.calls[1].headers)
    with pytest.raises(WebhookVerificationError):
        Webhook(first).verify(receiver.calls[1].body, receiver.calls[1].headers)


def test_one_that_hangs_delays_none_of_nine_others():
    with ExitStack() as stack:
        hanging = stack.enter_context(receiving(delay_s=60))
        others = [stack.enter_context(receiving()) for _ in range(9)]
        for receiver in (hanging, *others):
            subscribe(receiver.url)
        for _ in range(3):
            happen(10)
            began = time.monotonic()
            Deliverer().run(budget_s=4)
            assert all(len(set(receiver.ids)) == len(receiver.ids) for receiver in others)
            assert max(call.at for receiver in others for call in receiver.calls) - began < 4
        assert {len(receiver.ids) for receiver in others} == {30}
        assert 0 < len(hanging.calls) <= AT_ONCE
        endpoint = WebhookEndpoint.objects.get(url=hanging.url)
        assert endpoint.deliveries.filter(state=STATE.WAITING).count() == 30


def test_no_receiver_gets_more_than_four_at_once_from_all_processes(receiver):
    subscribe(receiver.url)
    happen(20)
    assert [len(claim(50)) for _ in range(3)] == [AT_ONCE, 0, 0]
    WebhookDelivery.objects.update(lease_until=db_now())
    WebhookEndpoint.objects.update(failing_since=db_now())
    assert [len(claim(50)) for _ in range(2)] == [1, 0]


@pytest.mark.slow
def test_killed_twenty_times_every_event_arrives_under_its_one_id(receiver):
    receiver.delay_s = 0.02
    subscribe(receiver.url)
    happen(400)
    program = (
        "import django; django.setup()\nfrom messaging.webhooks.delivering import Deliverer\n"
        "from django.conf import settings\n"
        "settings.WEBHOOKS_ALLOW_HTTP, settings.WEBHOOKS_PORTS = True, []\n"
        "settings.WEBHOOKS_ALLOWED_NETWORKS = ['127.0.0.0/8']\nprint('up', flush=True)\n"
        "while True: Deliverer().run(budget_s=1)"
    )
    name = database.settings_dict["NAME"]
    env = os.environ | {"DJANGO_SETTINGS_MODULE": "config.settings", "DATABASE_URL": _url_of(name)}
    for turn in range(20):
        process = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, env=env, stdout=subprocess.PIPE)
        assert process.stdout.readline() == b"up\n"
        time.sleep(0.05 + 0.02 * (turn % 7))
        process.send_signal(signal.SIGKILL)
        process.wait()
        process.stdout.close()
        WebhookDelivery.objects.filter(lease_until__gt=db_now() + timedelta(seconds=1)).update(
            lease_until=db_now() + timedelta(seconds=1)
        )  # not to wait 25 s for each
    time.sleep(1)
    run(30)
    wanted = {str(public_id) for public_id in OutboxEvent.objects.values_list("public_id", flat=True)}
    assert set(receiver.ids) == wanted and len(wanted) == 400
    assert {json.loads(call.body)["id"] == call.headers["webhook-id"] for call in receiver.calls} == {True}
    assert not WebhookDelivery.objects.exclude(state=STATE.DELIVERED).exists()


def _url_of(name: str) -> str:
    given = os.environ["DATABASE_URL"]
    place, _, query = given.partition("?")
    return place.rsplit("/", 1)[0] + f"/{name}" + (f"?{query}" if query else "")


def test_a_failure_is_tried_again_by_the_schedule_and_given_up_after_the_tenth(receiver):
    receiver.status = 500
    subscribe(receiver.url)
    happen()
    waits = []
    for _ in range(10):
        make_due()
        began = db_now()
        run()
        waits.append((WebhookDelivery.objects.get().next_at - began).total_seconds())
    wanted = [5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400]
    assert all(0.8 * want <= wait <= 1.2 * want + 5 for want, wait in zip(wanted, waits, strict=False))
    delivery = WebhookDelivery.objects.get()
    assert (delivery.state, delivery.tries, delivery.attempts.count()) == (STATE.GIVEN_UP, 10, 10)
    assert len(set(receiver.ids)) == 1 and len(receiver.ids) == 10


def test_a_receiver_that_asks_for_a_rest_gets_it_for_all_its_events(receiver):
    receiver.status, receiver.headers = 429, {"Retry-After": "3600"}
    endpoint = subscribe(receiver.url)
    happen()
    run()
    happen()
    run()
    endpoint.refresh_from_db()
    assert len(receiver.calls) == 1
    assert timedelta(minutes=59) < endpoint.quiet_until - db_now() <= timedelta(hours=1)


@pytest.mark.parametrize(
    "asked", ["Mon, 01 Jan 2024 00:00:00 +9999999999999", "Fri, 31 Dec 9999 23:59:59 -2300", "soon"]
)
def test_a_rest_that_no_calendar_has_is_none_and_stops_nobody_elses_events(connection, asked):
    with receiving(status=503, headers={"Retry-After": asked}) as strange, receiving() as usual:
        subscribe(strange.url, [EventType.MESSAGE_RECEIVED])
        fine = subscribe(usual.url, [EventType.MESSAGE_RECEIVED])
        make_mo(connection=connection, contact=make_contact())
        Deliverer().run(budget_s=1, to_the_end=True)
        assert deliveries(fine).get().state == STATE.DELIVERED
    refused = WebhookDelivery.objects.exclude(endpoint=fine).get()
    assert (refused.state, refused.tries, refused.endpoint.quiet_until) == (STATE.WAITING, 1, None)


def test_an_answer_that_cannot_be_written_keeps_no_other_from_being_written(connection, monkeypatch):
    def heed(endpoint_id, replies, now, usually=recording._heed):
        if any(reply.status == 418 for reply in replies):
            raise OverflowError
        usually(endpoint_id, replies, now)

    monkeypatch.setattr(recording, "_heed", heed)
    with receiving(status=418, delay_s=0.2) as strange, receiving(delay_s=0.2) as usual:
        subscribe(strange.url, [EventType.MESSAGE_RECEIVED])
        fine = subscribe(usual.url, [EventType.MESSAGE_RECEIVED])
        deliverer = Deliverer()
        for _ in range(2):
            make_mo(connection=connection, contact=make_contact())
            deliverer.run(budget_s=1, to_the_end=True)
        assert [one.state for one in deliveries(fine)] == [STATE.DELIVERED] * 2
        assert len(strange.calls) == 2, "what was not written is not called again within its lease"


def test_a_receiver_that_is_gone_is_never_called_again(receiver):
    receiver.status = 410
    endpoint = subscribe(receiver.url)
    happen(6)
    run()
    make_due()
    called = len(receiver.calls)
    happen()
    run()
    endpoint.refresh_from_db()
    assert endpoint.state == WebhookEndpoint.State.DISABLED and called == len(receiver.calls)
    assert list(stopped_by_themselves()) == [endpoint]
    tidy(db_now())
    assert set(endpoint.deliveries.values_list("state", flat=True)) == {STATE.GIVEN_UP}


def test_five_days_of_failures_pause_an_endpoint_and_one_success_starts_the_count_anew(receiver):
    receiver.status = 500
    endpoint = subscribe(receiver.url)
    happen()
    run()
    WebhookEndpoint.objects.update(failing_since=db_now() - PAUSED_AFTER)
    receiver.status = 200
    make_due()
    run()
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.failing_since) == (WebhookEndpoint.State.ACTIVE, None)
    receiver.status = 500
    happen()
    run()
    WebhookEndpoint.objects.update(failing_since=db_now() - PAUSED_AFTER)
    make_due()
    run()
    endpoint.refresh_from_db()
    assert endpoint.state == WebhookEndpoint.State.PAUSED and "five days" in endpoint.paused_because
    assert AuditEvent.objects.filter(act="webhook.paused", actor=None, subject_id=endpoint.pk).count() == 1


def test_what_waited_while_paused_arrives_after_resuming(receiver):
    endpoint, user = subscribe(receiver.url), make_user()
    pause_endpoint(endpoint=endpoint, user=user, now=db_now())
    happen(3)
    assert run() == 0
    resume_endpoint(endpoint=endpoint, user=user, now=db_now())
    assert run() == len(set(receiver.ids)) == 3
    acts = list(AuditEvent.objects.filter(subject_type="webhookendpoint").order_by("pk").values_list("act", flat=True))
    assert acts == ["webhook.created", "webhook.paused", "webhook.resumed"]


def test_what_a_client_may_not_read_any_more_waits_and_a_replay_of_it_too(receiver):
    client = ApiClient.objects.create(name="Shop", owner=make_user(), scopes=["read", "webhooks"])
    endpoint = subscribe(receiver.url)
    WebhookEndpoint.objects.update(client=client)
    happen(2)
    run()
    happen()
    ApiClient.objects.update(scopes=["webhooks"])
    replay(delivery=endpoint.deliveries.filter(state=STATE.DELIVERED).first(), user=client.owner, now=db_now())
    assert (run(), len(receiver.calls)) == (0, 2)
    ApiClient.objects.update(scopes=["read", "webhooks"], disabled_at=db_now())
    assert (run(), len(receiver.calls)) == (0, 2)
    ApiClient.objects.update(disabled_at=None)
    assert (run(), len(receiver.calls)) == (2, 4)
    happen()
    ApiClient.objects.update(disabled_at=db_now())
    assert endpoint.deliveries.filter(state=STATE.WAITING).count() == 1
    tidy(db_now() + timedelta(days=31))
    assert not endpoint.deliveries.filter(state=STATE.WAITING).exists(), "after a month it waits no longer"


def test_a_replay_of_one_or_of_a_range_repeats_the_same_ids(receiver):
    endpoint, user = subscribe(receiver.url), make_user()
    began = db_now()
    happen(3)
    run()
    replay(delivery=deliveries(endpoint)[0], user=user, now=db_now())
    assert run() == 1
    assert replay_range(endpoint=endpoint, since=began, until=db_now(), user=user, now=db_now()) == 3
    assert replay_range(endpoint=endpoint, since=db_now(), until=db_now(), user=user, now=db_now()) == 0
    assert run() == 3
    assert len(receiver.ids) == 7 and len(set(receiver.ids)) == 3


def test_a_receiver_that_drips_is_cut_at_the_deadline():
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            client, _ = server.accept()
            with client:
                for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n" + b"x" * 900:
                    try:
                        client.send(bytes([byte]))
                    except OSError:
                        return
                    time.sleep(0.05)

        threading.Thread(target=drip, daemon=True).start()
        began = time.monotonic()
        reply = post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"{}", {}, deadline_s=1)
        assert time.monotonic() - began < 2
        assert not reply.delivered and reply.error == "deadline passed"


def test_of_a_huge_answer_the_first_characters_are_kept(receiver):
    receiver.answer = b"\x00\xff<b>" + b"x" * (4 * BODY_LIMIT)
    subscribe(receiver.url)
    happen()
    run()
    assert WebhookDelivery.objects.get().state == STATE.DELIVERED
    assert len(WebhookDelivery.objects.get().attempts.get().answer) == 200


def test_a_result_that_comes_after_its_lease_counts_only_if_it_is_a_success(receiver):
    subscribe(receiver.url)
    happen()
    (late,) = claim(1)
    WebhookDelivery.objects.update(lease_until=db_now())
    (current,) = claim(1)
    record([Result(late, Reply(status=500))])
    assert WebhookDelivery.objects.get().lease_token == current.lease_token
    record([Result(late, Reply(status=204))])
    record([Result(current, Reply(status=500))])
    assert WebhookDelivery.objects.get().state == STATE.DELIVERED


def test_an_erased_person_is_in_no_event_that_leaves_later(receiver):
    subscribe(receiver.url)
    (message,) = happen()
    message.contact.msisdn, message.contact.erased_at = None, db_now()
    message.contact.save()
    run()
    assert json.loads(receiver.calls[0].body)["data"]["to"] is None


def test_a_door_clients_dns_and_mos_come_in_the_providers_shape(receiver):
    message = make_mt()
    door = make_door(message.connection)
    for shape in ("door_dn", "door_mo"):
        create_door_endpoint(door_client=door, shape=shape, url=receiver.url, now=db_now())
    second = make_mt(connection=message.connection)
    alone = make_mt(connection=message.connection)
    for ref, rows in {"7-1.5": [message, second], "7-2.5": [alone]}.items():
        to = ",".join("60" for _ in rows)
        call = DoorCall.objects.create(client=door, ref=ref, to=to, fingerprint=ref.encode(), at=db_now())
        for position, row in enumerate(rows):
            DoorRecipient.objects.create(call=call, position=position, message=row)
    Message.objects.filter(pk=second.pk).update(send_state="accepted", delivery_state="undelivered", error_code="505")
    Message.objects.filter(pk=alone.pk).update(send_state="expired", reason="expired")
    mo = make_mo(connection=message.connection, contact=message.contact, body="Ya & tidak")
    run()
    bodies = sorted(call.body.decode() for call in receiver.calls)
    assert bodies[0].startswith(f"from={message.contact.msisdn}&to=&text=Ya+%26+tidak&moid={mo.public_id}&time=20")
    assert sorted(bodies[1:]) == sorted(
        [
            f"status=UNDELIVERED&error-code=505&msisdn={second.contact.msisdn}&msgid=7-1.5-1",
            f"status=UNDELIVERED&error-code=552&msisdn={alone.contact.msisdn}&msgid=7-2.5",
        ]
    )
    assert {call.headers["content-type"] for call in receiver.calls} == {"application/x-www-form-urlencoded"}
    assert not any("webhook-id" in call.headers for call in receiver.calls)


def test_events_of_a_month_ago_go_unless_somebody_still_waits_for_them(receiver):
    subscribe(receiver.url)
    happen(2)
    run()
    OutboxEvent.objects.update(at=db_now() - timedelta(days=31))
    waiting = WebhookDelivery.objects.order_by("pk").first()
    WebhookDelivery.objects.filter(pk=waiting.pk).update(state=STATE.WAITING)
    tidy(db_now())
    assert list(OutboxEvent.objects.values_list("pk", flat=True)) == [waiting.event_id]


def test_nothing_happens_to_an_endpoint_that_ended():
    endpoint, user = subscribe(), make_user()
    disable_endpoint(endpoint=endpoint, user=user, now=db_now())
    for act in (pause_endpoint, resume_endpoint, rotate_secret):
        with pytest.raises(WrongState):
            act(endpoint=endpoint, user=user, now=db_now())

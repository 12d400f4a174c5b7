"""What becomes of a call: messages under the rule, or one of the provider's refusals and nothing at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from threading import Barrier, BrokenBarrierError

import pytest
from django.db import IntegrityError, transaction
from django.db import connection as database
from django.test import Client
from django.utils import timezone

from contacts import consent
from contacts.models import ConsentEvent, Contact, Purpose
from messaging import sending
from messaging.clock import db_now
from messaging.doorkeeping import (
    BadDoorClient,
    calls,
    count_let_pass,
    disable_door_client,
    dn_fields,
    let_pass,
    mo_fields,
    revoke_door_key,
    rotate_door_key,
    update_door_client,
)
from messaging.models import AuditEvent, DoorCall, DoorClient, DoorKey, DoorRecipient, Message
from messaging.policy import Lane, Reason
from messaging.providers.bulk360 import SEND_PATH
from messaging.statuses import SendState
from tests.contacts.racing import race
from tests.door.conftest import Account, make_account
from tests.factories import make_approved_version, make_contact, make_conversation, make_mo, make_raw, make_user
from tests.twin import AMINAH, APPROVED, FARID, TEMPLATE

pytestmark = pytest.mark.django_db
Mode = DoorClient.Mode
FREE = "Your parcel waits at the counter."


def call(account: Account, **fields: str) -> dict[str, object]:
    return json.loads(Client().post(SEND_PATH, account.form(**{"to": AMINAH, "text": FREE} | fields)).content)


def whatsapp(*msisdns: str) -> str:
    return ",".join(f"whatsapp:{msisdn}" for msisdn in msisdns)


def opt_out(contact: Contact) -> None:
    consent.opt_out(contact=contact, source=ConsentEvent.Source.PERSON, words="STOP", now=db_now())


def together(act: Callable[[], object], times: int) -> list[object]:
    def alone(_number: int) -> object:
        try:
            return act()
        finally:
            database.close()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(alone, range(times)))


# the rule


def test_an_approved_text_goes_as_its_template_with_the_values_in_it(account):
    version = make_approved_version(TEMPLATE)
    assert call(account, to=whatsapp(AMINAH), text=APPROVED)["code"] == 200
    message = Message.objects.get()
    assert (message.template_version, message.variables) == (version, {"name": "Aminah"})
    assert (message.send_state, message.lane, message.window_waived) == ("queued", Lane.TEMPLATE, False)


def test_inside_the_window_any_text_goes_as_it_is(account, connection):
    make_conversation(make_contact(AMINAH, name="Aminah"), connection, last_mo_at=db_now())
    text = "Dear {{name}},  two blanks\r\nand a line \n"
    assert call(account, to=whatsapp(AMINAH), text=text)["code"] == 200
    message = Message.objects.get()
    assert (message.lane, message.reason, message.body) == (Lane.SESSION, Reason.WINDOW_OPEN, text)


def test_a_placeholder_in_a_client_s_text_is_nobody_s_name(account, connection, twin):
    make_contact(AMINAH, name="Aminah")
    assert call(account, text="Dear {{name}} {{x}}")["code"] == 200
    sending.drain(connection.pk)
    assert [line["text"] for line in twin.ledger()] == ["Dear {{name}} {{x}}"]


def test_a_text_that_is_a_template_still_leaves_when_the_window_has_closed_meanwhile(account, connection, twin):
    twin.control("templates", texts=[TEMPLATE])
    make_approved_version(TEMPLATE)
    conversation = make_conversation(make_contact(AMINAH), connection, last_mo_at=db_now())
    call(account, to=whatsapp(AMINAH), text=APPROVED)
    assert Message.objects.get().lane == Lane.SESSION
    conversation.last_mo_at = db_now() - timedelta(hours=25)
    conversation.save()
    sending.drain(connection.pk)
    message = Message.objects.get()
    assert (message.send_state, message.lane) == (SendState.ACCEPTED, Lane.TEMPLATE)
    assert [line["text"] for line in twin.ledger()] == [APPROVED]


def test_enforce_refuses_a_text_that_is_no_template_outside_the_window_to_everybody(account, connection):
    make_conversation(make_contact(AMINAH), connection, last_mo_at=db_now())
    assert call(account, to=whatsapp(AMINAH, FARID))["code"] == 406
    assert not Message.objects.exists()
    assert not DoorCall.objects.exists()
    assert not Contact.objects.filter(msisdn=FARID).exists()


@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.WARN])
def test_observe_and_warn_let_it_through_and_say_so(connection, twin_process, mode):
    account = make_account(connection, mode=mode)
    make_conversation(make_contact(FARID), connection, last_mo_at=db_now())
    assert call(account, to=whatsapp(AMINAH, FARID))["code"] == 200
    waived, free = Message.objects.order_by("pk")
    assert (waived.send_state, waived.reason, waived.window_waived) == ("queued", Reason.WINDOW_WAIVED, True)
    assert (free.reason, free.window_waived) == (Reason.WINDOW_OPEN, False)
    since = db_now() - timedelta(days=1)
    assert [one.would_be for one in let_pass(account.client, since)] == [Reason.WINDOW_CLOSED]
    assert count_let_pass(account.client, since) == {Reason.WINDOW_CLOSED: 1}
    sending.drain(connection.pk)
    waived.refresh_from_db()
    assert (waived.lane, waived.reason) == (Lane.SESSION, Reason.WINDOW_WAIVED), "the gate waives it too"


def test_warn_tells_of_it_once_an_hour_and_observe_does_not(connection):
    for mode in (Mode.WARN, Mode.OBSERVE):
        account = make_account(connection, mode=mode)
        for text in ("one", "two", "three"):
            call(account, to=whatsapp(AMINAH), text=text)
    told = AuditEvent.objects.get(act="doorclient.let_pass")
    assert told.detail["reason"] == Reason.WINDOW_CLOSED
    assert DoorCall.objects.exclude(would_be="").count() == 6


@pytest.mark.parametrize("mode", Mode)
def test_no_mode_writes_to_somebody_who_opted_out(connection, mode):
    opt_out(make_contact(AMINAH))
    account = make_account(connection, mode=mode)
    make_approved_version(FREE)
    assert call(account, to=whatsapp(AMINAH, FARID))["code"] == 200, "the provider would take it, too"
    stopped, free = DoorRecipient.objects.order_by("position").select_related("message__contact", "call")
    assert (stopped.message.send_state, stopped.message.reason) == ("skipped", Reason.OPTED_OUT)
    assert free.message.send_state == "queued"
    assert dn_fields(stopped, status=stopped.message.status, reason=stopped.message.reason) == {
        "status": "UNDELIVERED",
        "error-code": "571",
        "msisdn": AMINAH,
        "msgid": f"{stopped.call.ref}-0",
    }
    assert dn_fields(free, status=free.message.status) is None


def test_no_client_confirms_opt_outs_which_would_reach_whoever_opted_out(account):
    with pytest.raises(BadDoorClient) as refused:
        make_account(account.client.connection, purpose=Purpose.OPT_OUT_CONFIRMATION)
    assert refused.value.detail["fields"].keys() == {"purpose"}
    with pytest.raises(BadDoorClient):
        update_door_client(
            client=account.client, user=account.client.owner, now=db_now(), purpose=Purpose.OPT_OUT_CONFIRMATION
        )
    with pytest.raises(IntegrityError, match="door_client_confirms_no_opt_outs"), transaction.atomic():
        DoorClient.objects.update(purpose=Purpose.OPT_OUT_CONFIRMATION)


def test_a_number_that_does_not_work_is_not_tried(account):
    make_contact(AMINAH, sms_bad_at=db_now())
    assert call(account)["code"] == 200
    assert Message.objects.get().reason == Reason.NUMBER_BAD


def test_a_paused_connection_takes_calls_and_lets_them_wait(account, connection):
    connection.state = "paused"
    connection.save()
    assert call(account)["code"] == 200
    sending.drain(connection.pk)
    assert Message.objects.get().send_state == "queued"


def test_what_a_call_wrote_is_part_of_the_person_s_conversation(account, connection):
    call(account)
    assert Contact.objects.get(msisdn=AMINAH).conversations.get().connection == connection


def test_numbers_are_read_as_everywhere_else(account):
    assert call(account, to="0123240066")["code"] == 200
    assert Contact.objects.get().msisdn == AMINAH
    assert call(account, to="0355551234")["code"] == 400, "a land-line"


# who may call


def test_a_disabled_client_is_told_that_its_account_is_terminated(account):
    disable_door_client(client=account.client, user=make_user(), now=db_now())
    assert call(account)["code"] == 412


def test_an_address_that_is_not_listed_is_refused_in_every_mode(connection):
    for mode in Mode:
        assert call(make_account(connection, mode=mode, allowed_peers=["198.51.100.0/24"]))["code"] == 403
    assert not Message.objects.exists()


def test_two_pairs_are_valid_at_once_and_a_revoked_one_is_not(account):
    first, second = (Account(account.client, *rotate(account.client)) for _ in range(2))
    assert [call(one)["code"] for one in (account, first, second)] == [401, 200, 200]
    revoke_door_key(key=DoorKey.objects.get(app_key=first.app_key), user=make_user(), now=db_now())
    assert [call(one)["code"] for one in (first, second)] == [401, 200]
    assert call(Account(account.client, second.app_key, first.app_secret))["code"] == 401


def rotate(client: DoorClient) -> tuple[str, str]:
    return rotate_door_key(client=client, user=make_user(), now=db_now())


def test_the_use_of_a_key_is_remembered_to_the_minute(account):
    call(account)
    key = DoorKey.objects.get()
    assert timezone.now() - key.last_used_at < timedelta(minutes=2)
    assert key.last_used_at.second == 0


def test_a_secret_is_kept_as_a_digest_alone(account):
    key = DoorKey.objects.get()
    assert account.app_secret.encode() not in bytes(key.digest)
    assert account.app_secret not in str(list(AuditEvent.objects.values_list("detail", flat=True)))


# repeats and races


def test_without_a_guard_the_same_call_is_two_messages(account):
    assert call(account)["ref"] != call(account)["ref"]
    assert Message.objects.count() == 2


def test_the_guard_answers_the_same_call_with_the_same_ref_and_queues_nothing(connection):
    account, other = (make_account(connection, repeat_guard_s=60) for _ in range(2))
    first = call(account)
    assert call(account) == first
    assert call(account, text="Another text")["ref"] != first["ref"]
    assert call(account, to=FARID)["ref"] != first["ref"]
    assert call(other)["ref"] != first["ref"]
    DoorCall.objects.filter(ref=first["ref"]).update(at=db_now() - timedelta(seconds=61))
    assert call(account)["ref"] != first["ref"]


@pytest.mark.django_db(transaction=True)
def test_the_same_call_made_many_times_at_once_is_one_message(connection):
    account = make_account(connection, repeat_guard_s=60)
    refs = {str(answer["ref"]) for answer in together(lambda: call(account), 12)}
    assert len(refs) == 1
    assert Message.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_calls_to_the_same_people_in_either_order_wait_for_each_other_and_never_in_a_ring(connection, monkeypatch):
    account, met = make_account(connection), Barrier(2)
    people = [make_contact(AMINAH), make_contact(FARID)]
    for person in people:
        make_conversation(person, connection, last_mo_at=db_now())

    def touch(message, usually=calls.touch_conversation):
        usually(message)
        with suppress(BrokenBarrierError):
            met.wait(1)  # each would now hold one conversation, if they began at different ends

    monkeypatch.setattr(calls, "touch_conversation", touch)
    orders = [(AMINAH, FARID), (FARID, AMINAH)]
    race(lambda: call(account, to=whatsapp(*orders.pop())), workers=2)
    assert DoorCall.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_no_ref_is_given_twice_however_many_ask_at_once(account):
    answers = together(lambda: [call(account, to=f"{AMINAH},{FARID}")["ref"] for _ in range(10)], 8)
    refs = [ref for some in answers for ref in some]
    assert len(set(refs)) == 80
    assert Message.objects.count() == 160


@pytest.mark.django_db(transaction=True)
def test_a_pair_is_rotated_under_load_without_one_refused_call(account):
    pairs = [account]

    def calls() -> list[object]:
        return [call(pair)["code"] for _ in range(8) for pair in (pairs[0], pairs[-1])]

    with ThreadPoolExecutor(1) as pool:
        load = pool.submit(lambda: together(calls, 4))
        pairs.append(Account(account.client, *rotate(account.client)))
        codes = [code for some in load.result() for code in some]
    assert codes == [200] * 64
    rotate(account.client)
    assert [call(pair)["code"] for pair in pairs] == [401, 200]


# the provider's shape


def test_each_status_is_told_as_the_provider_tells_it(account):
    call(account)
    recipient = DoorRecipient.objects.select_related("call", "message__contact").get()
    told = {
        status: (fields or {}).get("status", "") + (fields or {}).get("error-code", "")
        for status in ("queued", "accepted", "unknown", "sent", "delivered", "undelivered", "refused", "cancelled")
        if (fields := dn_fields(recipient, status=status, error_code="501" if status == "undelivered" else "406")) or 1
        if fields != 1
    }
    assert told == {
        "queued": "",
        "accepted": "",
        "unknown": "",
        "sent": "SENT20",
        "delivered": "DELIVERED000",
        "undelivered": "UNDELIVERED501",
        "refused": "UNDELIVERED575",
        "cancelled": "UNDELIVERED50",
    }
    assert dn_fields(recipient, status="sent")["msgid"] == recipient.call.ref, "a single one has no suffix"


def test_an_mo_is_told_with_the_fields_that_the_sandbox_sends(connection):
    raw = make_raw(connection, "mo", b"from=60123240066&to=60360000360&text=Hi")
    mo = make_mo(connection=connection, contact=make_contact(AMINAH), body="Hi", provider_id="mo-7", raw=raw)
    assert mo_fields(mo) == {
        "from": AMINAH,
        "to": "60360000360",
        "text": "Hi",
        "moid": "mo-7",
        "time": mo.timeline_at.isoformat(),
        "channel": "whatsapp",
    }

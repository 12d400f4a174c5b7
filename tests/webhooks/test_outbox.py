"""Every change that a subscriber cares about is one event, in the transaction of the change, whoever makes it."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import User
from django.db import connection as database
from django.db import transaction

from contacts import consent
from contacts.models import ConsentEvent, Contact
from messaging import campaigns, holds, sending
from messaging.approval import approve_version, return_version
from messaging.clock import db_now
from messaging.connections import client_for, pause_connection, resume_connection, stop_connection
from messaging.ingest import digest_all, retry_parked
from messaging.models import (
    ApiClient,
    Connection,
    DoorCall,
    DoorClient,
    DoorRecipient,
    EventType,
    Message,
    OutboxEvent,
    Outcome,
    ProviderRequest,
    WebhookDelivery,
)
from messaging.providers.answers import Outcome as Answer
from messaging.providers.bulk360 import SendOutcome
from messaging.providers.codes import Scope
from messaging.sending.claim import Marks, claim
from messaging.sending.gate import gate
from messaging.sending.reaper import reap
from messaging.sending.record import Answered, record
from messaging.statuses import DeliveryState, SendState, status
from messaging.webhooks import create_door_endpoint, disable_endpoint, pause_endpoint
from tests.contacts.racing import race
from tests.factories import (
    make_approved_campaign,
    make_connection,
    make_contact,
    make_conversation,
    make_mo,
    make_mt,
    make_raw,
    make_request,
    make_running_campaign,
    make_user,
    make_version,
)
from tests.webhooks.conftest import subscribe

pytestmark = pytest.mark.django_db

STATUS, RECEIVED = EventType.MESSAGE_STATUS, EventType.MESSAGE_RECEIVED
TOLD = {"held", "skipped", "accepted", "sent", "delivered", "undelivered", "refused", "unknown", "cancelled",
        "expired", "stuck"}  # fmt: skip


def told(message: Message) -> list[str]:
    """The words of a message's events, in their order."""
    events = OutboxEvent.objects.filter(message=message, type=STATUS).order_by("seq")
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    return [event.data["status"] for event in events]


def of_type(event_type: str) -> list[dict]:
    return [event.data for event in OutboxEvent.objects.filter(type=event_type).order_by("pk")]


def answered(request: ProviderRequest, outcome: Answer, **said: object) -> Answered:
    nothing = dict.fromkeys(SendOutcome.__dataclass_fields__)
    words = {"outcome": outcome, "ref": "", "desc": "", "error": "", "code": 200, "http_status": 200}
    return Answered(request, 1, SendOutcome(**nothing | words | said), client_for(request.connection))


def flying(connection: Connection) -> tuple[Message, ProviderRequest]:
    message = make_mt(connection=connection)
    request = make_request([message], outcome=Outcome.IN_FLIGHT)
    Message.objects.filter(pk=message.pk).update(claim_token=request.token)
    return message, request


def dn(connection: Connection, message: Message, word: str, code: str = "000", ref: str = "7-1.5") -> None:
    said = {"status": word, "msisdn": message.contact.msisdn, "msgid": f"{ref}-0", "error-code": code}
    make_raw(connection, "dn", urlencode(said).encode())


@pytest.mark.parametrize("send_state", SendState)
@pytest.mark.parametrize("delivery_state", DeliveryState)
def test_the_database_has_the_same_word_for_a_pair_as_we_have(send_state, delivery_state):
    with database.cursor() as cursor:
        cursor.execute("SELECT messaging_status(%s, %s)", [send_state, delivery_state])
        assert cursor.fetchone()[0] == status(send_state, delivery_state)


@pytest.mark.parametrize("before", SendState)
@pytest.mark.parametrize("after", SendState)
def test_even_plain_sql_tells_where_a_message_got_to_and_not_the_steps_on_the_way(connection, before, after):
    subscribe()
    lease = {"claim_token": "7" * 32, "lease_until": db_now(), "held_for": "until_reply", "reason": "window_closed"}
    message = make_mt(connection=connection, send_state=before, **lease)
    with database.cursor() as cursor:
        cursor.execute("UPDATE messaging_message SET send_state = %s", [after])
    moved = status(before) != status(after)
    assert told(message) == ([status(after)] if moved and status(after) in TOLD else [])


def test_without_a_subscriber_nothing_is_written(connection):
    _message, request = flying(connection)
    subscribe(event_types=[RECEIVED])
    disable_endpoint(endpoint=subscribe(event_types=[STATUS]), user=make_user(), now=db_now())
    record([answered(request, Answer.ACCEPTED, ref="7-1.5")])
    assert not OutboxEvent.objects.exists()


def test_a_paused_endpoint_keeps_its_events_for_later(connection):
    endpoint = pause_endpoint(endpoint=subscribe(), user=make_user(), now=db_now())
    record([answered(flying(connection)[1], Answer.ACCEPTED, ref="7-1.5")])
    assert endpoint.deliveries.get().state == WebhookDelivery.State.WAITING


def test_a_change_that_is_rolled_back_was_never_told(connection):
    subscribe()
    _message, request = flying(connection)
    with transaction.atomic():
        record([answered(request, Answer.ACCEPTED, ref="7-1.5")])
        assert OutboxEvent.objects.exists()
        transaction.set_rollback(True)
    assert not OutboxEvent.objects.exists()


def test_a_message_from_its_acceptance_to_its_last_dn(connection):
    subscribe()
    message, request = flying(connection)
    record([answered(request, Answer.ACCEPTED, ref="7-1.5")])
    record([answered(request, Answer.ACCEPTED, ref="7-1.5")])
    for word, code in (("SENT", "020"), ("DELIVERED", "000"), ("UNDELIVERED", "501")):
        dn(connection, message, word, code)
        digest_all()
    assert told(message) == ["accepted", "sent", "delivered", "undelivered"]
    last = OutboxEvent.objects.get(message=message, seq=4)
    assert last.data["error_code"] == "501"
    assert last.contact == message.contact


@pytest.mark.parametrize(
    ("outcome", "said", "word"),
    [
        (Answer.REFUSED, {"code": 405, "refusal_scope": Scope.MESSAGE}, "refused"),
        (Answer.UNKNOWN, {"code": None}, "unknown"),
    ],
)
def test_what_the_provider_did_not_take_is_told(connection, outcome, said, word):
    subscribe()
    message, request = flying(connection)
    record([answered(request, outcome, **said)])
    assert told(message) == [word]


def test_back_to_the_queue_is_nobodys_news(connection):
    subscribe()
    message, request = flying(connection)
    record([answered(request, Answer.NOT_SENT, code=None)])
    assert told(message) == []


def test_what_the_gate_stops_is_told(connection):
    subscribe()
    message = make_mt(connection=connection)
    consent.opt_out(contact=message.contact, source=ConsentEvent.Source.PERSON, words="STOP", now=db_now())
    gate(connection.pk, claim(connection, limit=10, marks=Marks()), free=10)
    assert told(message) == ["skipped"]
    assert OutboxEvent.objects.get(message=message).data["reason"] == "opted_out"


def test_what_a_dead_worker_left_behind_is_told(connection):
    subscribe()
    lost, _request = flying(connection)
    broken = make_mt(connection=connection, send_state=SendState.CLAIMED, claims_lost=2)
    Message.objects.update(lease_until=db_now() - timedelta(seconds=1))
    reap(db_now())
    assert told(lost) == ["unknown"]
    assert told(broken) == ["stuck"]


def test_an_unknown_that_its_dn_settles_by_adoption_is_told(connection):
    subscribe()
    message = make_mt(connection=connection)
    make_request([message])
    dn(connection, message, "DELIVERED", ref="9-9.9")
    digest_all()
    retry_parked(db_now())
    assert told(message)[-1] == "delivered"
    assert len(told(message)) == len(set(told(message)))


def test_a_persons_word_on_an_unknown_is_told(connection):
    subscribe()
    sent, given_up = make_mt(connection=connection), make_mt(connection=connection)
    make_request([sent])
    make_request([given_up])
    sending.treat_as_sent(message=sent, user=make_user(), now=db_now())
    sending.treat_as_not_sent(message=given_up, user=make_user(), now=db_now())
    assert told(sent)[-1] == "accepted"
    assert told(given_up)[-1] == "cancelled"


def test_what_expires_is_told(connection):
    subscribe()
    message = make_mt(connection=connection, not_after=db_now() - timedelta(minutes=1))
    holds.expire(db_now())
    assert told(message) == ["expired"]


def test_a_campaign_tells_its_states_and_whom_it_skips_or_cancels(connection):
    subscribe()
    people = [make_contact(name="Ann") for _ in range(3)]
    for person in people:
        make_conversation(person, connection, last_mo_at=db_now())
    campaign = make_approved_campaign(connection, people)
    consent.opt_out(contact=people[0], source=ConsentEvent.Source.PERSON, words="STOP", now=db_now())
    campaigns.launch_campaign(campaign=campaign, user=make_user(), now=db_now())
    campaigns.start_due(db_now())
    campaigns.cancel_campaign(campaign=campaign, user=make_user(), now=db_now())
    campaigns.cancel_rows(db_now())
    words = sorted(word for message in campaign.messages.all() for word in told(message))
    assert words == ["cancelled", "cancelled", "skipped"]
    states = ["in_review", "approved", "preparing", "running", "cancelled"]
    assert [said["state"] for said in of_type(EventType.CAMPAIGN_STATE)] == states


def test_a_finished_campaign_is_told(connection):
    subscribe()
    campaign = make_running_campaign(connection, [make_contact()])
    campaign.messages.update(send_state="accepted", lane="template")
    campaigns.finish_done(db_now())
    assert of_type(EventType.CAMPAIGN_STATE)[-1]["state"] == "finished"


def test_an_mo_is_told_once_and_its_twin_not_at_all(connection):
    subscribe()
    for _ in range(2):
        make_raw(connection, "mo", urlencode({"from": "60123240066", "text": "Hello"}).encode())
    digest_all()
    event = OutboxEvent.objects.get(type=RECEIVED)
    assert Message.objects.mos().count() == 2
    assert event.contact.msisdn == "60123240066"


def test_opting_out_and_in_is_told_when_it_changes_something(connection):
    subscribe()
    person, make = make_contact(), {"source": ConsentEvent.Source.PERSON}
    for minute, act in enumerate([consent.opt_out, consent.opt_out, consent.opt_in, consent.opt_in]):
        act(contact=person, words="STOP", now=db_now() + timedelta(minutes=minute), **make)
    assert [said["state"] for said in of_type(EventType.CONSENT_CHANGED)] == ["opted_out", "opted_in"]
    assert {event.contact for event in OutboxEvent.objects.all()} == {person}


def test_a_review_is_told_with_its_outcome(connection):
    subscribe()
    approve_version(version=make_version(), user=make_user(), now=db_now())
    return_version(version=make_version(), user=make_user(), reason="Shorter", now=db_now())
    assert [said["state"] for said in of_type(EventType.TEMPLATE_REVIEWED)] == ["approved", "returned"]


def test_a_connection_that_stops_or_goes_on_is_told(connection):
    subscribe()
    user, now = make_user(), db_now()
    for _ in range(2):
        stop_connection(connection_id=connection.pk, state="no_credit", code=402, detail="No credit", now=now)
    resume_connection(connection=connection, user=user, now=now)
    pause_connection(connection=connection, user=user, now=now)
    assert [said["state"] for said in of_type(EventType.CONNECTION_STATE)] == ["no_credit", "ok", "paused"]


def make_door(connection: Connection, **fields: object) -> DoorClient:
    fields = {"owner": make_user(), "allowed_peers": ["127.0.0.1/32"], **fields}
    return DoorClient.objects.create(connection=connection, name=f"door {DoorClient.objects.count()}", **fields)


def test_a_door_client_hears_of_its_own_messages_and_its_connections_mos_alone(connection):
    doors = [make_door(connection), make_door(connection), make_door(make_connection())]
    shapes = [(door, shape) for door in doors for shape in ("door_dn", "door_mo")]
    own, *others = [
        create_door_endpoint(door_client=door, shape=shape, url="http://127.0.0.1:9/", now=db_now())
        for door, shape in shapes
    ]
    message, request = flying(connection)
    call = DoorCall.objects.create(client=doors[0], ref="7-1", to="6012", fingerprint=b"1", at=db_now())
    DoorRecipient.objects.create(call=call, position=0, message=message)
    record([answered(request, Answer.ACCEPTED, ref="7-1.5")])
    dn(connection, message, "DELIVERED")
    make_raw(connection, "mo", urlencode({"from": "60123240066", "text": "Hello"}).encode())
    digest_all()
    rows = WebhookDelivery.objects.order_by("pk").values_list("endpoint", "event__type")
    mine = [own.pk, *(endpoint.pk for endpoint in (others[0], others[2]))]
    assert sorted(rows) == sorted(zip(mine, [STATUS, RECEIVED, RECEIVED], strict=True))
    assert told(message) == ["delivered"]


def test_a_test_client_hears_of_sandbox_connections_alone(connection):
    owner = make_user()
    client = ApiClient.objects.create(name="Test", owner=owner, scopes=["read", "webhooks"], live=False)
    endpoint = subscribe()
    type(endpoint).objects.update(client=client)
    opt_out(make_contact())
    real = make_connection(kind=Connection.Kind.BULK360)
    opt_out(make_contact())
    for place in (connection, real):
        record([answered(flying(place)[1], Answer.ACCEPTED, ref="7-1.5")])
    assert len(of_type(EventType.CONSENT_CHANGED)) == 1, "while there were sandboxes alone"
    assert OutboxEvent.objects.get(type=STATUS).message.connection == connection


def opt_out(contact: Contact) -> None:
    consent.opt_out(contact=contact, source=ConsentEvent.Source.PERSON, words="STOP", now=db_now())


@pytest.mark.parametrize(
    ("change", "heard"),
    [
        ({}, {STATUS, RECEIVED, EventType.CONSENT_CHANGED, EventType.CONNECTION_STATE}),
        ({"scopes": ["webhooks"]}, {EventType.CONNECTION_STATE}),
        ({"disabled_at": "2026-11-01T00:00Z"}, set()),
        ({"owner": "left"}, set()),
    ],
    ids=["as before", "without read", "disabled", "owner left"],
)
def test_a_client_hears_only_what_its_key_could_read(connection, change, heard):
    client = ApiClient.objects.create(name="Shop", owner=make_user(), scopes=["read", "webhooks"])
    type(subscribe()).objects.update(client=client)
    if "owner" in change:
        User.objects.filter(pk=client.owner_id).update(is_active=False)
    elif change:
        ApiClient.objects.update(**change)
    record([answered(flying(connection)[1], Answer.ACCEPTED, ref="7-1.5")])
    make_mo(connection=connection, contact=make_contact())
    opt_out(make_contact())
    pause_connection(connection=connection, user=make_user(), now=db_now())
    assert set(WebhookDelivery.objects.values_list("event__type", flat=True)) == heard


@pytest.mark.django_db(transaction=True)
def test_fifty_copies_of_a_dn_at_once_are_one_event():
    connection = make_connection()
    subscribe()
    message = make_mt(connection=connection)
    make_request([message], ref="7-1.5")

    def work() -> None:
        dn(connection, message, "DELIVERED")
        digest_all(budget_s=1)

    before = len(told(message))
    race(work, workers=50)
    digest_all()
    assert told(message)[before:] == ["delivered"]


@pytest.mark.django_db(transaction=True)
def test_racing_changes_of_one_message_get_consecutive_numbers():
    subscribe()
    message = make_mt()

    def work() -> None:
        for word in ("unknown", "accepted", "refused"):
            Message.objects.filter(pk=message.pk).update(send_state=word)

    race(work, workers=8)
    assert len(told(message)) >= 3


def test_a_held_message_that_is_woken_and_held_again_tells_each_hold(connection):
    subscribe()
    message = make_mt(connection=connection)
    make_conversation(message.contact, connection)
    for state in ("held", "queued", "held"):
        Message.objects.update(send_state=state, held_for="until_reply")
    assert told(message) == ["held", "held"]

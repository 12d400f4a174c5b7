"""Repeats of one call are one call."""

import json
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.db import OperationalError, transaction

from contacts.models import Contact
from messaging import clients, singles
from messaging.clock import db_now
from messaging.models import IdempotencyKey, Message
from tests.contacts.racing import race

BODY = {"to": "0123240066", "text": "Hi", "channel": "sms"}


@pytest.mark.django_db(transaction=True)
def test_of_50_parallel_calls_with_one_key_one_is_a_message_and_all_get_its_answer(caller, connection):
    answers = race(lambda: caller.post("messages", BODY, Idempotency_Key="order-1"), 50)
    assert {answer.status_code for answer in answers} == {202}
    assert {answer.json()["id"] for answer in answers} == {str(Message.objects.get().public_id)}
    assert sum("Idempotency-Replayed" not in answer for answer in answers) == 1


def test_1000_repeats_one_after_the_other_are_one_message(make_caller, connection):
    caller = make_caller(rate_per_minute=1_000_000)
    bodies = {caller.post("messages", BODY, Idempotency_Key="order-1").content for _ in range(1_000)}
    assert len(bodies) == 1
    assert Message.objects.count() == 1


def test_another_body_under_the_same_key_is_422(caller, connection):
    caller.post("messages", BODY, Idempotency_Key="order-1")
    answer = caller.post("messages", BODY | {"text": "Ho"}, Idempotency_Key="order-1")
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert caller.post("lists", {"name": "A"}, Idempotency_Key="order-1").status_code == 422
    spelled = json.dumps(BODY, indent=3, sort_keys=True)
    again = caller.http.post(
        "/api/v1/messages",
        spelled,
        content_type="application/json",
        headers={"Authorization": f"Bearer {caller.key}", "Idempotency-Key": "order-1"},
    )
    assert again["Idempotency-Replayed"] == "true", "the same call, spelled otherwise"


def test_keys_of_two_clients_are_two(make_caller, connection):
    for caller in (make_caller(), make_caller()):
        assert caller.post("messages", BODY, Idempotency_Key="order-1").status_code == 202
    assert Message.objects.count() == 2


def test_a_refusal_is_kept_too(caller, connection):
    body = {"to": "0123240066", "text": "Hi"}
    first = caller.post("messages", body, Idempotency_Key="order-1")
    second = caller.post("messages", body, Idempotency_Key="order-1")
    assert (first.status_code, second.status_code, second.content) == (409, 409, first.content)
    assert second["Idempotency-Replayed"] == "true"


def test_a_failure_of_ours_is_not_kept(caller, connection):
    with patch.object(singles, "prepare", side_effect=RuntimeError):
        assert caller.post("messages", BODY, Idempotency_Key="order-1").status_code == 500
    with patch.object(singles, "prepare", side_effect=OperationalError):
        assert caller.post("messages", BODY, Idempotency_Key="order-1").status_code == 503
    assert not Contact.objects.exists()
    assert caller.post("messages", BODY, Idempotency_Key="order-1").status_code == 202


@pytest.mark.django_db(transaction=True)
def test_a_twin_that_does_not_end_is_409_after_5_seconds(caller, connection):
    with transaction.atomic():
        clients.once._claim(caller.client, clients.once.hashlib.sha256(b"order-1").digest(), b"", db_now())
        (answer,) = race(lambda: caller.post("messages", BODY, Idempotency_Key="order-1"), 1)
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_still_running")


@pytest.mark.parametrize("key", ["", "x" * 256, "snowman ☃", "tab\tinside"])
def test_a_key_that_is_none_is_refused(caller, connection, key):
    assert caller.post("messages", BODY, Idempotency_Key=key).json()["code"] == "bad_idempotency_key"


def test_answers_are_kept_for_7_days(caller, connection):
    caller.post("messages", BODY, Idempotency_Key="order-1")
    assert clients.forget_answers(db_now() + timedelta(days=6, hours=23)) == 0
    assert clients.forget_answers(db_now() + timedelta(days=7, minutes=1)) == 1
    assert not IdempotencyKey.objects.exists()

"""Keys: who gets in, with what, and from where."""

import io
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from messaging import clients
from messaging.clients.keys import digest, is_well_formed, new_key
from messaging.clock import db_now
from messaging.errors import WrongState
from messaging.models import ApiClient, ApiKey, Scope
from tests.contacts.racing import race
from tests.factories import make_connection, make_user


def test_a_key_is_recognised_by_its_form_and_a_typing_mistake_is_seen_without_the_database():
    key, prefix = new_key(live=True)
    assert key.startswith(f"{prefix}_")
    assert prefix.startswith("wg_live_")
    assert is_well_formed(key)
    assert not is_well_formed(key[:20] + ("A" if key[20] != "A" else "B") + key[21:])
    assert not is_well_formed(key + "\n")


def test_only_the_digest_is_kept(caller):
    stored = ApiKey.objects.get()
    assert bytes(stored.digest) == digest(caller.key)
    assert caller.key not in str(vars(stored))


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer wg_live_00000000_nothing", "Basic dXNlcjpwYXNz", "Bearer {key}x", "Token {key}"]
)
def test_without_a_valid_key_the_answer_is_401_and_says_how(caller, header):
    answer = Client().get("/api/v1/balance", headers={"Authorization": header.format(key=caller.key)})
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="switchboard"')
    assert answer["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("name", ["api_key", "token", "access_token", "x"])
def test_a_key_in_the_url_is_refused_before_anything_else(caller, name):
    for headers in ({}, {"Authorization": f"Bearer {caller.key}"}):
        answer = Client().get(f"/api/v1/balance?{name}={caller.key}", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "key_in_url")


def test_a_revoked_key_is_refused_on_the_next_request(caller):
    assert caller.get("balance").status_code == 200
    clients.revoke_key(key=ApiKey.objects.get(), user=caller.client.owner, now=db_now())
    assert caller.get("balance").json()["code"] == "invalid_key"


def test_an_expired_key_and_one_of_a_disabled_client_or_owner_are_refused(caller):
    ApiKey.objects.update(expires_at=db_now() - timedelta(seconds=1))
    assert caller.get("balance").status_code == 401
    ApiKey.objects.update(expires_at=db_now() + timedelta(minutes=1))
    assert caller.get("balance").status_code == 200
    clients.disable_client(client=caller.client, user=caller.client.owner, now=db_now())
    assert caller.get("balance").status_code == 401
    clients.enable_client(client=caller.client, user=caller.client.owner, now=db_now())
    caller.client.owner.is_active = False
    caller.client.owner.save()
    assert caller.get("balance").status_code == 401


def test_two_keys_are_valid_during_a_rotation_and_never_three(caller):
    client, owner = caller.client, caller.client.owner
    second = clients.rotate_key(client=client, user=owner, now=db_now())
    with pytest.raises(WrongState):
        clients.add_key(client=client, user=owner, now=db_now())
    third = clients.rotate_key(client=client, user=owner, now=db_now())
    found = [clients.find_key(key, db_now()) is not None for key in (caller.key, second, third)]
    assert found == [False, True, True]


def test_addresses_outside_the_clients_list_are_refused(make_caller):
    near, far = make_caller(allowed_peers=["127.0.0.0/8"]), make_caller(allowed_peers=["203.0.113.0/24"])
    assert near.get("balance").status_code == 200
    assert far.get("balance").json()["code"] == "address_not_allowed"


def test_last_use_is_kept_to_the_minute_and_written_once_a_minute(caller, django_assert_num_queries):
    caller.get("balance")
    used = ApiKey.objects.get().last_used_at
    assert used == used.replace(second=0, microsecond=0)
    with django_assert_num_queries(6):  # the clock, the key, its owner's two kinds of rights, the quota, the balances
        caller.get("balance")


@pytest.mark.django_db(transaction=True)
def test_of_100_parallel_requests_at_a_limit_of_10_exactly_10_pass(make_caller):
    caller = make_caller(rate_per_minute=10)
    now = db_now()
    if now.second > 45:
        pytest.skip("the minute may end during the race")
    answers = race(lambda: caller.get("balance").status_code, 20)
    answers += [status for _ in range(4) for status in race(lambda: caller.get("balance").status_code, 20)]
    assert (answers.count(200), answers.count(429)) == (10, 90)


def test_a_429_says_when_to_come_back(make_caller):
    caller = make_caller(rate_per_minute=1)
    first, second = caller.get("balance"), caller.get("balance")
    assert (first["RateLimit-Limit"], first["RateLimit-Remaining"]) == ("1", "0")
    assert second.status_code == 429
    assert 1 <= int(second["Retry-After"]) <= 60


def test_the_command_prints_only_the_key(db):
    make_user(role="agent")
    admin = make_user(role="admin")
    out = io.StringIO()
    call_command("create_api_key", name="CRM", scopes="send,read", test=True, stdout=out)
    key = clients.find_key(out.getvalue().strip(), db_now())
    assert out.getvalue().startswith("wg_test_")
    assert (key.client.owner, key.client.scopes, key.client.live) == (admin, ["read", "send"], False)


@pytest.mark.parametrize(("scopes", "words"), [("send,everything", "everything"), (" , ", "scope")])
def test_the_command_refuses_scopes_that_are_none(db, scopes, words):
    make_user(role="admin")
    with pytest.raises(CommandError):
        call_command("create_api_key", name="CRM", scopes=scopes)
    assert not ApiClient.objects.exists()


@pytest.mark.parametrize("changes", [{"allowed_peers": ["here"]}, {"rate_per_minute": 0}, {"name": ""}])
def test_a_client_that_cannot_work_is_refused(caller, changes):
    with pytest.raises(clients.BadClient) as refused:
        clients.update_client(client=caller.client, user=caller.client.owner, now=db_now(), **changes)
    assert refused.value.detail["fields"].keys() == changes.keys()


def test_a_test_client_reaches_sandboxes_alone(make_caller):
    live, sandbox = make_connection(kind="bulk360", name="Live"), make_connection()
    caller = make_caller(live=False)
    assert [one["connection"] for one in caller.get("balance").json()["results"]] == [str(sandbox.public_id)]
    body = {"to": "0123240066", "text": "Hi", "channel": "sms"}
    assert caller.post("messages", body | {"connection": "Live"}).json()["code"] == "unknown_connection"
    assert caller.post("messages", body).status_code == 202
    assert Scope.SEND in caller.client.scopes
    assert live.messages.count() == 0

import hashlib
import json
from decimal import Decimal

import pytest
from django.db import connection as database

from messaging import campaigns
from messaging.audit import history
from messaging.clock import db_now
from messaging.connections import (
    BadSettings,
    adopt_hook_token,
    check_balance,
    client_for,
    close_incident,
    create_connection,
    hook_urls,
    pause_connection,
    resume_connection,
    rotate_hook_token,
    stop_connection,
    update_connection,
)
from messaging.errors import WrongState
from messaging.models import AuditEvent, Connection, ConnectionPace, Incident
from tests.contacts.racing import race
from tests.factories import make_connection, make_contact, make_running_campaign, make_user
from tests.messaging.misbehaving import Visit, serving

pytestmark = pytest.mark.django_db

SECRET = "aAjc9I7mW5eGzxwYs"
ACCOUNT = {
    "name": "Clinic",
    "kind": "bulk360",
    "base_url": "https://sms.360.my",
    "app_key": "7LrdwRb1Ya",
    "app_secret": SECRET,
}


def stop(connection: Connection, state: str = "no_credit", code: object = 402, **more) -> None:
    stop_connection(connection_id=connection.pk, state=state, code=code, detail="", now=db_now(), **more)


def test_a_new_connection_sends_has_a_pace_and_knows_its_hook_token():
    connection, token = create_connection(**ACCOUNT, rate_per_s=7, user=make_user(), now=db_now())
    assert (connection.state, connection.rate_per_s) == ("ok", 7)
    assert ConnectionPace.objects.filter(connection=connection).exists()
    assert Connection.objects.for_hook(token) == connection


def test_the_secret_is_stored_encrypted_and_in_no_audit_event():
    user = make_user()
    connection, token = create_connection(**ACCOUNT, user=user, now=db_now())
    update_connection(connection=connection, user=user, now=db_now(), app_secret="another-secret", rate_per_s=9)
    rotated = rotate_hook_token(connection=connection, user=user, now=db_now())
    with database.cursor() as cursor:
        cursor.execute("SELECT app_secret FROM messaging_connection WHERE id = %s", [connection.pk])
        stored = cursor.fetchone()[0]
    told = json.dumps(list(AuditEvent.objects.values_list("detail", flat=True)))
    assert Connection.objects.get().app_secret == "another-secret"
    for hidden in (SECRET, "another-secret", token, rotated, stored):
        assert hidden not in told
    assert "another-secret" not in stored


def test_a_change_says_what_was_before_and_what_is_now():
    connection, user = make_connection(rate_per_s=50), make_user()
    update_connection(connection=connection, user=user, now=db_now(), rate_per_s=20, name=connection.name)
    event = history(connection).get()
    assert (event.actor, event.detail) == (user, {"changed": {"rate_per_s": [50, 20]}, "new_app_secret": False})


def test_an_empty_secret_keeps_the_stored_one():
    connection = make_connection(app_secret=SECRET)
    update_connection(connection=connection, user=make_user(), now=db_now(), app_secret="", app_key="new-key")
    connection.refresh_from_db()
    assert (connection.app_key, connection.app_secret) == ("new-key", SECRET)


def test_saving_what_is_there_already_changes_and_records_nothing():
    connection = make_connection()
    update_connection(connection=connection, user=make_user(), now=db_now(), app_secret="secret", name=connection.name)
    assert not AuditEvent.objects.exists()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("base_url", "ftp://sms.360.my"),
        ("name", ""),
        ("app_key", ""),
        ("send_path", "gw/send.php"),
        ("rate_per_s", 0),
        ("recipients_per_request", 13),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../etc/passwd"),
        ("allowed_peers", ["not an address"]),
        ("allowed_peers", ["10.0.0.1/8"]),
        ("mo_fields", {"text": 1}),
        ("mo_fields", ["text"]),
    ],
)
def test_settings_that_cannot_work_are_refused_by_field(field, value):
    connection = make_connection()
    with pytest.raises(BadSettings) as refusal:
        update_connection(connection=connection, user=make_user(), now=db_now(), **{field: value})
    assert list(refusal.value.detail["fields"]) == [field]
    assert getattr(Connection.objects.get(), field) == getattr(connection, field)


@pytest.mark.parametrize("field", ["kind", "state", "balance", "app_secret_again"])
def test_what_is_no_setting_cannot_be_changed_as_one(field):
    with pytest.raises(TypeError):
        update_connection(connection=make_connection(), user=make_user(), now=db_now(), **{field: "x"})


def test_two_connections_cannot_share_a_name():
    make_connection(name="Clinic")
    with pytest.raises(BadSettings):
        create_connection(**ACCOUNT, user=make_user(), now=db_now())


def test_a_rotated_token_leaves_the_one_before_valid_and_ends_the_older_one():
    connection, first = create_connection(**ACCOUNT, user=None, now=db_now())
    second, third = (rotate_hook_token(connection=connection, user=make_user(), now=db_now()) for _ in range(2))
    valid = [Connection.objects.for_hook(token) == connection for token in (first, second, third)]
    assert valid == [False, True, True]


def test_only_the_digest_of_a_token_is_stored():
    connection, token = create_connection(**ACCOUNT, user=None, now=db_now())
    assert bytes(connection.hook_tokens.get().digest) == hashlib.sha256(token.encode()).digest()


def test_a_token_chosen_elsewhere_is_adopted_once_and_even_after_it_was_revoked():
    connection, _ = create_connection(**ACCOUNT, user=None, now=db_now(), hook_token="chosen")
    adopt_hook_token(connection=connection, token="chosen", now=db_now())
    assert connection.hook_tokens.count() == 1
    for _ in range(2):
        rotate_hook_token(connection=connection, user=make_user(), now=db_now())
    assert Connection.objects.for_hook("chosen") is None
    adopt_hook_token(connection=connection, token="chosen", now=db_now())
    assert Connection.objects.for_hook("chosen") == connection
    assert connection.hook_tokens.filter(revoked_at=None).count() == 2


def test_hook_urls_stand_under_the_public_url(settings):
    settings.PUBLIC_URL = "https://switchboard.example"
    assert hook_urls("abc") == {
        "dn": "https://switchboard.example/hooks/abc/dn",
        "mo": "https://switchboard.example/hooks/abc/mo",
    }


def test_a_stop_names_its_reason_and_opens_one_incident_however_often_it_is_said():
    connection = make_connection()
    for _ in range(3):
        stop(connection)
    connection.refresh_from_db()
    assert connection.state == "no_credit"
    assert Incident.objects.values_list("connection", "kind", "code").get() == (connection.pk, "no_credit", "402")
    assert [event.act for event in history(connection)] == ["connection.stopped"]


def test_the_first_stop_holds_and_a_second_cause_is_an_incident_of_its_own():
    connection = make_connection()
    stop(connection, "no_credit", 402)
    stop(connection, "credentials", 401)
    connection.refresh_from_db()
    assert connection.state == "no_credit"
    assert set(Incident.objects.values_list("kind", flat=True)) == {"no_credit", "credentials"}


@pytest.mark.parametrize(("state", "code"), [("suspended", 407), ("credentials", 401), ("no_credit", 402)])
def test_what_the_provider_says_outweighs_a_persons_pause(state, code):
    connection = make_connection()
    pause_connection(connection=connection, user=make_user(), now=db_now())
    stop(connection, state, code)
    connection.refresh_from_db()
    assert connection.state == state
    assert [event.act for event in history(connection)] == ["connection.paused", "connection.stopped"]


def test_a_misdirected_answer_during_a_pause_is_an_incident_and_leaves_it_paused():
    connection = make_connection()
    pause_connection(connection=connection, user=make_user(), now=db_now())
    stop(connection, "paused", 404)
    connection.refresh_from_db()
    assert connection.state == "paused"
    assert Incident.objects.get().kind == "misdirected"
    assert [event.act for event in history(connection)] == ["connection.paused"]


@pytest.mark.parametrize("state", [state for state in Connection.State.values if state != "ok"])
def test_every_stop_has_an_incident_that_resuming_closes(state):
    connection, user = make_connection(), make_user()
    stop(connection, state, None)
    resumed = resume_connection(connection=connection, user=user, now=db_now(), compared=True)
    assert resumed.state == "ok"
    assert Incident.objects.get().closed_by == user
    stop(connection, state, None)
    assert Incident.objects.filter(closed_at=None).count() == 1


def test_resuming_leaves_a_campaigns_incidents_open():
    connection = make_connection()
    Incident.objects.create(connection=connection, kind=Incident.Kind.STUCK, opened_at=db_now())
    pause_connection(connection=connection, user=make_user(), now=db_now())
    resume_connection(connection=connection, user=make_user(), now=db_now())
    assert Incident.objects.get().closed_at is None


def test_an_incident_that_stopped_nothing_is_closed_by_a_person_once():
    connection, user, other = make_connection(), make_user(), make_user()
    incident = connection.incidents.create(kind="stuck", opened_at=db_now())
    closed = close_incident(incident=incident, user=user, now=db_now())
    again = close_incident(incident=incident, user=other, now=db_now())
    assert closed.closed_at == again.closed_at
    assert again.closed_by == user
    (event,) = history(connection)
    assert (event.act, event.actor, event.detail) == ("incident.closed", user, {"kind": "stuck"})


def test_what_stopped_a_connection_is_closed_by_resuming_it_and_in_no_other_way():
    connection, user = make_connection(), make_user()
    stop(connection)
    incident = connection.incidents.get()
    with pytest.raises(WrongState):
        close_incident(incident=incident, user=user, now=db_now())
    resume_connection(connection=connection, user=user, now=db_now())
    assert connection.incidents.get().closed_by == user


def test_what_paused_a_campaign_is_closed_with_it():
    connection, user = make_connection(), make_user()
    campaign = make_running_campaign(connection, [make_contact(name="A")])
    campaigns.pause_campaign(campaign=campaign, user=None, now=db_now())
    incident = connection.incidents.create(kind="text_changed", campaign=campaign, opened_at=db_now())
    with pytest.raises(WrongState):
        close_incident(incident=incident, user=user, now=db_now())
    campaigns.cancel_campaign(campaign=campaign, user=user, now=db_now())
    assert connection.incidents.get().closed_by == user


def test_pausing_what_the_provider_stopped_is_refused():
    connection = make_connection(state="suspended")
    with pytest.raises(WrongState):
        pause_connection(connection=connection, user=make_user(), now=db_now())


def test_new_credentials_do_not_resume_a_refused_connection():
    connection = make_connection()
    stop(connection, "credentials", 401)
    update_connection(connection=connection, user=make_user(), now=db_now(), app_secret="new")
    assert Connection.objects.get().state == "credentials"


def test_a_refusal_of_credentials_that_were_replaced_meanwhile_stops_nothing():
    connection = make_connection()
    refused = client_for(connection)
    update_connection(connection=connection, user=make_user(), now=db_now(), app_secret="new")
    stop(connection, "credentials", 401, client=refused)
    assert (Connection.objects.get().state, Incident.objects.count()) == ("ok", 0)
    stop(connection, "credentials", 401, client=client_for(Connection.objects.get()))
    assert Connection.objects.get().state == "credentials"


def test_the_client_is_one_until_the_credentials_change():
    connection = make_connection(app_secret="old")
    before = client_for(connection)
    assert client_for(Connection.objects.get()) is before
    update_connection(connection=connection, user=make_user(), now=db_now(), app_secret="new")
    assert client_for(Connection.objects.get()).app_secret == "new"
    assert "old" not in repr(before)


def answering(body: bytes, status: str = "200 OK"):
    def behave(visit: Visit) -> None:
        visit.read_request()
        visit.answer(body, status)

    return behave


def test_a_balance_is_kept_with_its_time():
    body = b'{"status":"success","description":{"balance":"187.9200","currency":"MYR"}}'
    with serving(answering(body)) as server:
        connection, now = make_connection(base_url=server.url), db_now()
        assert check_balance(connection=connection, now=now).ok
    connection.refresh_from_db()
    assert (connection.balance, connection.balance_currency, connection.balance_at) == (Decimal("187.92"), "MYR", now)


@pytest.mark.parametrize("body", [b'{"code":401,"desc":"Invalid"}', b"<html>", b'{"status":"success","balance":"1e9"}'])
def test_an_answer_without_a_balance_keeps_the_last_one(body):
    with serving(answering(body)) as server:
        connection = make_connection(base_url=server.url, balance=Decimal(5))
        assert not check_balance(connection=connection, now=db_now()).ok
    connection.refresh_from_db()
    assert (connection.balance, connection.balance_at) == (Decimal(5), None)


def test_a_balance_beyond_the_column_is_shown_and_not_kept():
    with serving(answering(b'{"status":"success","balance":"123456789012"}')) as server:
        connection = make_connection(base_url=server.url)
        assert check_balance(connection=connection, now=db_now()).balance == Decimal(123456789012)
    connection.refresh_from_db()
    assert connection.balance is None


@pytest.mark.django_db(transaction=True)
def test_of_many_refusals_at_once_one_stops_the_connection():
    connection = make_connection()
    race(lambda: stop(connection), workers=8)
    assert Connection.objects.get().state == "no_credit"
    assert Incident.objects.count() == 1
    assert AuditEvent.objects.filter(act="connection.stopped").count() == 1


@pytest.mark.django_db(transaction=True)
def test_rotating_at_once_never_leaves_more_than_two_valid_tokens():
    connection, user = make_connection(), make_user()
    race(lambda: rotate_hook_token(connection=connection, user=user, now=db_now()), workers=6)
    assert connection.hook_tokens.filter(revoked_at=None).count() == 2


@pytest.mark.parametrize(
    "changes", [{"base_url": "https://other.example"}, {"send_path": "/other"}, {"balance_path": "/other"}]
)
def test_the_secret_goes_to_no_other_address_unless_it_is_typed_again(changes):
    connection, _ = create_connection(**ACCOUNT, user=None, now=db_now())
    with pytest.raises(BadSettings) as refused:
        update_connection(connection=connection, user=None, now=db_now(), **changes)
    assert set(refused.value.detail["fields"]) == {"app_secret"}
    update_connection(connection=connection, user=None, now=db_now(), app_secret=SECRET, **changes)
    connection.refresh_from_db()
    assert {field: getattr(connection, field) for field in changes} == changes


@pytest.mark.parametrize(
    ("kind", "base_url", "fine"),
    [
        ("bulk360", "http://sms.360.my", False),
        ("bulk360", "http://10.0.0.5", False),
        ("bulk360", "http://127.0.0.1:8100", True),
        ("bulk360", "http://localhost:8100", True),
        ("sandbox", "http://sandbox.example:8100", True),
    ],
)
def test_the_secret_travels_encrypted_or_not_far(kind, base_url, fine):
    account = ACCOUNT | {"kind": kind, "base_url": base_url}
    if fine:
        assert create_connection(**account, user=None, now=db_now())
        return
    with pytest.raises(BadSettings) as refused:
        create_connection(**account, user=None, now=db_now())
    assert set(refused.value.detail["fields"]) == {"base_url"}

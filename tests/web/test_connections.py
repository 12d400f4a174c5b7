import re
from decimal import Decimal

import pytest
from django.urls import reverse

from messaging import connections as accounts
from messaging.clock import db_now
from messaging.models import Connection, HookToken, Incident
from messaging.restoring import same_database
from tests.factories import make_connection, make_mt

pytestmark = pytest.mark.django_db
SECRET = "a-very-secret-secret"
ACCOUNT = {
    "name": "Klang",
    "kind": "bulk360",
    "base_url": "https://sms.360.my",
    "app_key": "KEY01",
    "app_secret": SECRET,
    "rate_per_s": "50",
    "max_in_flight": "16",
    "recipients_per_request": "12",
    "window_margin_s": "60",
    "send_path": "/gw/bulk360/v3_0/send.php",
    "balance_path": "/api/balance/v3_0/getBalance",
    "time_zone": "Asia/Kuala_Lumpur",
    "mo_fields": "{}",
    "allowed_peers": "203.0.113.0/24\n198.51.100.7",
}


def page(name, connection):
    return reverse(name, args=[connection.public_id])


@pytest.fixture
def made(sign_in):
    sign_in("admin").post(reverse("connection_new"), ACCOUNT)
    return Connection.objects.get()


def test_a_new_account_shows_its_hook_addresses_once(sign_in):
    client = sign_in("admin")
    answer = client.post(reverse("connection_new"), ACCOUNT)
    shown = answer.content.decode()
    connection = Connection.objects.get()
    token = re.search(r"/hooks/([^/]+)/dn", shown)[1]
    assert Connection.objects.for_hook(token) == connection
    assert f"/hooks/{token}/mo" in shown
    assert "no-store" in answer["Cache-Control"]
    assert token not in client.get(page("connection_detail", connection)).content.decode()
    assert connection.allowed_peers == ["203.0.113.0/24", "198.51.100.7"]


def test_the_secret_goes_in_and_never_comes_out(made, sign_in):
    client = sign_in("admin")
    assert made.app_secret == SECRET
    for name in ("connection_detail", "connection_edit"):
        assert SECRET not in client.get(page(name, made)).content.decode()
    refused = client.post(reverse("connection_new"), ACCOUNT | {"name": ""})
    assert SECRET not in refused.content.decode()


def test_an_empty_secret_keeps_the_stored_one(made, sign_in):
    sign_in("admin").post(page("connection_edit", made), ACCOUNT | {"app_secret": "", "rate_per_s": "20"})
    made.refresh_from_db()
    assert (made.app_secret, made.rate_per_s) == (SECRET, 20)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"time_zone": "Klang"}, "no time zone"),
        ({"allowed_peers": "everybody"}, "203.0.113.0/24"),
        ({"base_url": "ftp://sms.360.my"}, "valid URL"),
        ({"rate_per_s": "0"}, "greater than or equal to 1"),
        ({"app_secret": ""}, "required"),
        ({"mo_fields": "{"}, "valid JSON"),
        ({"send_path": "send.php"}, "begins with a slash"),
    ],
)
def test_a_wrong_setting_is_said_at_its_field_and_nothing_is_made(change, words, sign_in):
    answer = sign_in("admin").post(reverse("connection_new"), ACCOUNT | change)
    shown = answer.content.decode()
    assert answer.status_code == 422
    assert words in shown
    assert 'value="KEY01"' in shown
    assert not Connection.objects.exists()


def test_a_name_that_is_taken_is_said_at_the_name(made, sign_in):
    answer = sign_in("admin").post(reverse("connection_new"), ACCOUNT)
    assert answer.context["form"].errors["name"]


def test_rotating_asks_first_and_keeps_the_present_addresses_valid(made, sign_in):
    client = sign_in("admin")
    assert "stay valid until the next rotation" in client.get(page("connection_rotate", made)).content.decode()
    assert HookToken.objects.count() == 1
    client.post(page("connection_rotate", made))
    assert HookToken.objects.filter(revoked_at=None).count() == 2


def test_the_page_with_the_new_addresses_leads_back_to_the_connection_when_it_is_loaded_again(made, sign_in):
    shown = sign_in("admin").post(page("connection_rotate", made)).content.decode()
    assert f'data-home="{page("connection_detail", made)}"' in shown


def stop(connection):
    accounts.stop_connection(connection_id=connection.pk, state="no_credit", code=402, detail="", now=db_now())


def test_what_stopped_is_told_in_words_with_what_to_do_and_resumed_in_one_click(made, sign_in):
    stop(made)
    client = sign_in("admin")
    for where in ("/", reverse("connection_list"), page("connection_detail", made)):
        shown = client.get(where).content.decode()
        assert "has no credit left" in shown
        assert "Top up the account" in shown
    answer = client.post(page("connection_resume", made), {"next": "dashboard"})
    assert answer.url == "/"
    made.refresh_from_db()
    assert made.state == Connection.State.OK
    assert Incident.objects.get().closed_at is not None


def test_a_stopped_connection_says_how_many_messages_wait(made, sign_in, monkeypatch):
    client = sign_in("viewer")
    make_mt(connection=made)
    assert "message waits" not in client.get(page("connection_detail", made)).content.decode()
    stop(made)
    assert "1 message waits." in client.get(page("connection_detail", made)).content.decode()
    monkeypatch.setattr("messaging.web.connections.figures.MANY", 1)
    make_mt(connection=made)
    assert "More than 1 messages wait." in client.get(page("connection_detail", made)).content.decode()


@pytest.mark.parametrize("back", ["dashboard", ""])
def test_an_incident_that_stopped_nothing_is_closed_where_it_is_seen(made, sign_in, back):
    incident = made.incidents.create(kind="stuck", detail="Broken.", opened_at=db_now())
    where = reverse("incident_close", args=[incident.pk])
    viewer, admin = sign_in("viewer"), sign_in("admin")
    assert where not in viewer.get("/").content.decode()
    assert viewer.post(where).status_code == 403
    for shown in ("/", page("connection_detail", made)):
        assert where in admin.get(shown).content.decode()
    assert admin.post(where, {"next": back}).url == ("/" if back else page("connection_detail", made))
    assert Incident.objects.get().closed_by.username == "admin"
    assert where not in admin.get("/").content.decode()


def test_what_resuming_closes_has_no_button_of_its_own(made, sign_in):
    stop(made)
    where = reverse("incident_close", args=[Incident.objects.get().pk])
    admin = sign_in("admin")
    assert where not in admin.get("/").content.decode()
    admin.post(where)
    assert Incident.objects.get().closed_at is None


def test_who_may_not_resume_reads_who_can(made, sign_in):
    stop(made)
    shown = sign_in("composer").get("/").content.decode()
    assert "An admin can resume it" in shown
    assert "Resume sending" not in shown


def test_pausing_asks_first_and_resuming_does_not_lead_elsewhere(made, sign_in):
    client = sign_in("admin")
    client.get(page("connection_pause", made))
    assert Connection.objects.get().state == Connection.State.OK
    client.post(page("connection_pause", made))
    assert Connection.objects.get().state == Connection.State.PAUSED
    answer = client.post(page("connection_resume", made), {"next": "https://elsewhere.example/"})
    assert answer.url == page("connection_detail", made)


def test_testing_an_account_that_nobody_answers_for_says_so(sign_in):
    connection = make_connection()
    answer = sign_in("admin").post(page("connection_test", connection), follow=True)
    assert "did not give the balance" in answer.content.decode()


def test_the_balance_is_shown_with_its_age(made, sign_in):
    Connection.objects.update(balance=Decimal("1187.9200"), balance_currency="MYR", balance_at=db_now())
    shown = sign_in("viewer").get(reverse("connection_list")).content.decode()
    assert "MYR 1,187.92" in shown
    assert "just now" in shown


def test_the_key_is_for_those_who_may_change_it(made, sign_in):
    assert "KEY01" in sign_in("admin").get(page("connection_detail", made)).content.decode()
    assert "KEY01" not in sign_in("viewer").get(page("connection_detail", made)).content.decode()


def test_a_frozen_connection_goes_on_only_after_its_messages_were_decided_about(connection, sign_in):
    same_database()
    accounts.freeze_connection(connection_id=connection.pk, detail="A backup was restored.", now=db_now())
    client = sign_in("admin")
    thaw = page("connection_thaw", connection)
    shown = client.get(page("connection_detail", connection)).content.decode()
    assert thaw in shown
    assert page("connection_resume", connection) not in shown
    client.post(page("connection_resume", connection))
    assert Connection.objects.get().state == "frozen"
    assert "may have left" in client.get(thaw).content.decode()
    client.post(thaw)
    assert Connection.objects.get().state == "ok"

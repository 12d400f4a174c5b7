import pytest
from django.urls import reverse

from messaging.clock import db_now
from messaging.doorkeeping import Wish, take_call
from messaging.doorkeeping import sign_in as door_sign_in
from messaging.models import AuditEvent, DoorClient, DoorKey, WebhookEndpoint
from messaging.statuses import Channel
from messaging.webhooks import door_endpoints
from tests.factories import make_contact

from .conftest import address, shown_once

pytestmark = pytest.mark.django_db
DN, MO = "https://1.1.1.1/dn", "https://1.1.1.1/mo"


@pytest.fixture
def form(admin, connection):
    return {
        "name": "Parcel desk",
        "connection": connection.pk,
        "mode": "warn",
        "purpose": "service",
        "owner": admin.pk,
        "allowed_peers": "203.0.113.7",
        "repeat_guard_s": "",
        "dn_url": DN,
        "mo_url": "",
    }


def urls(client: DoorClient) -> dict[str, str]:
    return dict(door_endpoints(client).values_list("format", "url"))


def test_a_new_client_shows_its_pair_once_and_nothing_keeps_the_secret(form, sign_in):
    browser = sign_in("admin")
    answer = browser.post(reverse("door_client_new"), form)
    app_key, app_secret = shown_once(answer)
    assert answer.context["once"].shell == f"export APP_KEY={app_key} APP_SECRET={app_secret}"
    client = DoorClient.objects.get()
    assert door_sign_in(app_key, app_secret).client == client
    assert (client.mode, client.allowed_peers, urls(client)) == ("warn", ["203.0.113.7/32"], {"door_dn": DN})
    for page in (address("door_client_detail", client), reverse("developers"), "/"):
        assert app_secret not in browser.get(page).content.decode()
    assert app_secret not in str([*AuditEvent.objects.values_list("detail", flat=True), dict(browser.session)])


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"name": ""}, "name", "required"),
        ({"mode": "lax"}, "mode", "not one of the available choices"),
        ({"purpose": "opt_out_confirmation"}, "purpose", "not one of the available choices"),
        ({"allowed_peers": ""}, "allowed_peers", "required"),
        ({"allowed_peers": "203.0.113.7/8"}, "allowed_peers", "203.0.113.0/24"),
        ({"repeat_guard_s": "-1"}, "repeat_guard_s", "greater than or equal to 0"),
        ({"dn_url": "ftp://1.1.1.1/"}, "dn_url", "must begin with https://"),
        ({"mo_url": "https://127.0.0.1/"}, "mo_url", "must not reach"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_made(change, field, words, form, sign_in):
    answer = sign_in("admin").post(reverse("door_client_new"), form | change)
    assert answer.status_code == 422
    assert words in " ".join(answer.context["form"].errors[field])
    assert not DoorClient.objects.exists()
    assert not WebhookEndpoint.objects.exists()


def test_a_mode_is_changed_and_urls_are_made_changed_and_taken_away(form, desk, sign_in, admin):
    browser, edit = sign_in("admin"), address("door_client_edit", desk)
    browser.post(edit, form | {"mode": "enforce"})
    desk.refresh_from_db()
    assert (desk.mode, urls(desk)) == ("enforce", {"door_dn": DN})
    made = door_endpoints(desk).get()
    browser.post(edit, form | {"dn_url": MO, "mo_url": MO})
    assert urls(desk) == {"door_dn": MO, "door_mo": MO}
    assert door_endpoints(desk).get(format="door_dn") == made
    browser.post(edit, form | {"dn_url": "", "mo_url": MO})
    assert urls(desk) == {"door_mo": MO}
    acts = AuditEvent.objects.filter(subject_type="webhookendpoint", subject_id=made.pk).order_by("pk")
    assert list(acts.values_list("act", "actor")) == [
        ("webhook.created", admin.pk),
        ("webhook.changed", admin.pk),
        ("webhook.disabled", admin.pk),
    ]


def test_a_url_that_cannot_be_reached_any_more_does_not_stop_other_changes(form, desk, sign_in):
    browser, edit = sign_in("admin"), address("door_client_edit", desk)
    browser.post(edit, form)
    WebhookEndpoint.objects.update(url="https://gone.invalid/")
    assert browser.post(edit, form | {"dn_url": "https://gone.invalid/", "mode": "enforce"}).status_code == 302


def test_another_pair_leaves_the_newest_before_it_valid(desk, sign_in):
    browser, first = sign_in("admin"), desk.keys.get()
    browser.get(address("door_client_pair", desk))
    assert desk.keys.count() == 1
    app_key, _secret = shown_once(browser.post(address("door_client_pair", desk)))
    assert set(desk.keys.filter(revoked_at=None).values_list("app_key", flat=True)) == {first.app_key, app_key}
    browser.post(address("door_key_revoke", desk, first.pk))
    assert DoorKey.objects.get(revoked_at=None).app_key == app_key


def test_disabling_asks_first_and_can_be_taken_back(desk, sign_in):
    browser = sign_in("admin")
    browser.get(address("door_client_disable", desk))
    assert DoorClient.objects.get().disabled_at is None
    browser.post(address("door_client_disable", desk))
    assert DoorClient.objects.get().disabled_at is not None
    browser.post(address("door_client_enable", desk))
    assert DoorClient.objects.get().disabled_at is None


def test_what_observe_let_pass_is_counted_and_listed_with_whom_and_why(desk, sign_in):
    contact = make_contact(name="Aminah")
    wish = Wish(contact.msisdn, Channel.WHATSAPP, [contact.msisdn], "Your parcel is here.")
    taken = take_call(client=desk, wish=wish, now=db_now())
    browser = sign_in("admin")
    assert "1 call" in browser.get(reverse("developers")).content.decode()
    shown = browser.get(address("door_client_detail", desk)).content.decode()
    for words in ("Aminah", taken.ref, "They have not written within 24 hours"):
        assert words in shown

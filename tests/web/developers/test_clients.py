from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from messaging.clients import find_key
from messaging.clock import db_now
from messaging.models import ApiClient, ApiKey, AuditEvent
from tests.factories import make_user

from .conftest import address, shown_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def form():
    return {
        "name": "Shop",
        "live": "live",
        "scopes": ["send", "read"],
        "allowed_peers": "203.0.113.0/24\n198.51.100.7",
        "rate_per_minute": "60",
        "expires_at": "",
    }


def test_a_new_client_shows_its_key_once_and_nothing_keeps_it(form, sign_in, admin):
    browser = sign_in("admin")
    answer = browser.post(reverse("api_client_new"), form)
    (key,) = shown_once(answer)
    assert f'<code id="once-shell">export SWITCHBOARD_KEY={key}</code>' in answer.content.decode()
    assert f'href="{reverse("developer_examples")}#send_template"' in answer.content.decode()
    assert (
        f'data-home="{reverse("api_client_detail", args=[ApiClient.objects.get().public_id])}"'
        in answer.content.decode()
    )
    client = ApiClient.objects.get()
    assert find_key(key, db_now()).client == client
    assert (client.scopes, client.live, client.rate_per_minute) == (["read", "send"], True, 60)
    assert client.allowed_peers == ["203.0.113.0/24", "198.51.100.7/32"]
    secret = key.rsplit("_", 2)[1]
    for page in (address("api_client_detail", client), reverse("developers"), "/"):
        assert secret not in browser.get(page).content.decode()
    assert secret not in str([*AuditEvent.objects.values_list("detail", flat=True), dict(browser.session)])


def test_a_test_client_gets_a_test_key(form, sign_in):
    (key,) = shown_once(sign_in("admin").post(reverse("api_client_new"), form | {"live": "test"}))
    assert key.startswith("wg_test_")


def test_the_first_key_ends_with_the_day_that_was_chosen(form, sign_in):
    tomorrow = timezone.localdate() + timedelta(days=1)
    sign_in("admin").post(reverse("api_client_new"), form | {"expires_at": tomorrow.isoformat()})
    ends = timezone.localtime(ApiKey.objects.get().expires_at)
    assert (ends.date(), ends.hour, ends.minute) == (tomorrow, 23, 59)


@pytest.mark.parametrize(
    ("change", "field", "words"),
    [
        ({"name": " "}, "name", "required"),
        ({"scopes": []}, "scopes", "required"),
        ({"scopes": ["everything"]}, "scopes", "not one of the available choices"),
        ({"live": ""}, "live", "required"),
        ({"allowed_peers": "everybody"}, "allowed_peers", "203.0.113.0/24"),
        ({"rate_per_minute": "0"}, "rate_per_minute", "greater than or equal to 1"),
        ({"expires_at": "2020-01-01"}, "expires_at", "That day is over"),
        ({"expires_at": "soon"}, "expires_at", "valid date"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_made(change, field, words, form, sign_in):
    answer = sign_in("admin").post(reverse("api_client_new"), form | change)
    assert answer.status_code == 422
    assert words in " ".join(answer.context["form"].errors[field])
    assert not ApiClient.objects.exists()
    assert not ApiKey.objects.exists()


def test_a_name_that_is_taken_is_said_at_the_name(shop, form, sign_in):
    answer = sign_in("admin").post(reverse("api_client_new"), form)
    assert "already exists" in answer.context["form"].errors["name"][0]


def test_a_client_is_changed_but_never_from_live_to_test(shop, form, sign_in):
    answer = sign_in("admin").post(address("api_client_edit", shop), form | {"scopes": ["contacts"], "live": "test"})
    assert answer.url == address("api_client_detail", shop)
    shop.refresh_from_db()
    assert (shop.scopes, shop.live) == (["contacts"], True)


def test_a_key_is_rotated_by_making_another_and_revoking_the_first(shop, sign_in):
    browser, first = sign_in("admin"), shop.keys.get()
    assert "stays valid until you revoke it" in browser.get(address("api_client_key", shop)).content.decode()
    (key,) = shown_once(browser.post(address("api_client_key", shop), {"expires_at": ""}))
    refused = browser.post(address("api_client_key", shop), {"expires_at": ""})
    assert refused.status_code == 422
    assert "Two keys are valid already" in refused.content.decode()
    revoke = address("api_key_revoke", shop, first.pk)
    browser.get(revoke)
    assert ApiKey.objects.filter(revoked_at=None).count() == 2
    browser.post(revoke)
    assert ApiKey.objects.get(revoked_at=None) == find_key(key, db_now())


def test_a_key_is_revoked_on_its_own_clients_page_alone(shop, desk, form, sign_in):
    browser = sign_in("admin")
    browser.post(reverse("api_client_new"), form | {"name": "Other"})
    other = ApiClient.objects.get(name="Other")
    assert browser.post(address("api_key_revoke", other, shop.keys.get().pk)).status_code == 404
    assert shop.keys.get().revoked_at is None


def test_nobody_gets_a_key_that_writes_in_anothers_name(shop, sign_in):
    """Or one admin could write as another, and approve it alone."""
    other = make_user("boss", "admin")
    ApiClient.objects.update(owner=other)
    browser = sign_in("admin")
    assert address("api_client_key", shop) not in browser.get(address("api_client_detail", shop)).content.decode()
    refused = browser.post(address("api_client_key", shop), {"expires_at": ""})
    assert "Only its owner makes its keys" in refused.content.decode()
    assert shop.keys.count() == 1


def test_who_takes_a_client_over_ends_the_keys_that_others_have(shop, sign_in, admin):
    ApiClient.objects.update(owner=make_user("boss", "admin"))
    browser = sign_in("admin")
    browser.get(address("api_client_take_over", shop))
    assert shop.keys.get().revoked_at is None
    browser.post(address("api_client_take_over", shop))
    shop.refresh_from_db()
    assert (shop.owner, shop.keys.filter(revoked_at=None).count()) == (admin, 0)
    shown_once(browser.post(address("api_client_key", shop), {"expires_at": ""}))


def test_disabling_asks_first_and_can_be_taken_back(shop, sign_in):
    browser = sign_in("admin")
    browser.get(address("api_client_disable", shop))
    assert ApiClient.objects.get().disabled_at is None
    browser.post(address("api_client_disable", shop))
    assert ApiClient.objects.get().disabled_at is not None
    browser.post(address("api_client_enable", shop))
    assert ApiClient.objects.get().disabled_at is None


def test_a_key_that_expired_is_told_from_one_that_is_valid(shop, sign_in):
    ApiKey.objects.update(expires_at=db_now() - timedelta(minutes=1))
    browser = sign_in("admin")
    assert "Expired" in browser.get(address("api_client_detail", shop)).content.decode()
    assert shop.keys.get().prefix not in browser.get(reverse("developers")).content.decode()

"""REQUIRE_MFA=1: no page before a second factor is set up and shown."""

import time

import pytest
from allauth.mfa.totp.internal.auth import TOTP, format_hotp_value, generate_totp_secret, hotp_value
from django.contrib.auth.models import User
from django.test import Client

from tests.factories import make_user

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery 9"


@pytest.fixture
def composer(client):
    user = make_user("composer", "composer")
    client.force_login(user)
    return user


def make_staff(name, **fields):
    return User.objects.create_user(name, password=PASSWORD, **fields)


def with_second_factor(name, **fields):
    """The secret of a user who has set one up."""
    secret = generate_totp_secret()
    TOTP.activate(make_staff(name, **fields), secret)
    return secret


def code(secret):
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30))


def test_without_one_every_page_leads_to_setting_one_up(client, composer, settings):
    settings.REQUIRE_MFA = True
    answer = client.get("/campaigns/")
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/2fa/totp/activate/"


def test_who_shows_it_when_signing_in_comes_in(settings):
    settings.REQUIRE_MFA = True
    secret, browser = with_second_factor("nurse", is_superuser=True), Client()
    asked = browser.post("/accounts/login/", {"login": "nurse", "password": PASSWORD})
    assert asked["Location"].startswith("/accounts/2fa/authenticate/")
    assert browser.get("/campaigns/").status_code == 302
    browser.post("/accounts/2fa/authenticate/", {"code": code(secret)})
    assert browser.get("/campaigns/").status_code == 200


@pytest.mark.django_db(transaction=True)  # allauth tells of it on commit
def test_who_sets_one_up_comes_in_at_once(client, settings):
    settings.REQUIRE_MFA = True
    make_staff("nurse", is_superuser=True)
    client.post("/accounts/login/", {"login": "nurse", "password": PASSWORD})
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    secret = client.get("/accounts/2fa/totp/activate/").context["form"].secret
    assert client.post("/accounts/2fa/totp/activate/", {"code": code(secret)}).status_code == 302
    assert client.get("/campaigns/").status_code == 200


@pytest.mark.parametrize("page", ["/campaigns/", "/accounts/2fa/recovery-codes/", "/accounts/2fa/totp/deactivate/"])
def test_a_session_that_never_showed_it_is_asked_though_the_user_has_one(client, composer, settings, page):
    settings.REQUIRE_MFA = True
    secret = generate_totp_secret()
    TOTP.activate(composer, secret)
    assert client.get(page)["Location"] == "/accounts/2fa/reauthenticate/"
    client.post("/accounts/2fa/reauthenticate/", {"code": code(secret)})
    assert client.get("/campaigns/").status_code == 200


def test_the_support_desk_has_no_way_in_of_its_own(settings):
    settings.REQUIRE_MFA = True
    with_second_factor("root", is_staff=True, is_superuser=True)
    browser = Client()
    answer = browser.post("/admin/login/?next=/admin/", {"username": "root", "password": PASSWORD, "next": "/admin/"})
    assert answer["Location"].startswith("/accounts/login/?next=")
    assert "_auth_user_id" not in browser.session


def test_nobody_is_asked_where_it_is_not_required(client, composer):
    assert client.get("/campaigns/").status_code == 200


def test_the_sign_in_page_and_the_health_checks_stay_open(client, settings):
    settings.REQUIRE_MFA = True
    assert client.get("/accounts/login/").status_code == 200
    assert client.get("/healthz").status_code == 200

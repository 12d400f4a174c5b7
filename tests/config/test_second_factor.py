"""REQUIRE_MFA=1: no page before a second factor is set up."""

import pytest
from allauth.mfa.totp.internal.auth import TOTP, generate_totp_secret

from tests.factories import make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def composer(client):
    user = make_user("composer", "composer")
    client.force_login(user)
    return user


def test_without_one_every_page_leads_to_setting_one_up(client, composer, settings):
    settings.REQUIRE_MFA = True
    answer = client.get("/campaigns/")
    assert answer.status_code == 302
    assert answer["Location"] == "/accounts/2fa/totp/activate/"


def test_with_one_the_pages_open(client, composer, settings):
    settings.REQUIRE_MFA = True
    TOTP.activate(composer, generate_totp_secret())
    assert client.get("/campaigns/").status_code == 200


def test_nobody_is_asked_where_it_is_not_required(client, composer):
    assert client.get("/campaigns/").status_code == 200


def test_the_sign_in_page_and_the_health_checks_stay_open(client, settings):
    settings.REQUIRE_MFA = True
    assert client.get("/accounts/login/").status_code == 200
    assert client.get("/healthz").status_code == 200

"""Signing in and what belongs to it: every page that there is has our frame and our words, and no other exists."""

import re

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth
from django.urls import reverse

from tests.factories import make_user
from tests.web.test_pages import FORBIDDEN

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-password"
THEIRS = re.compile(
    r"Forgot your password|two-factor authentication|Successfully|Activate|Generate|Authenticator secret"
)


@pytest.fixture
def farid():
    user = make_user("farid", "agent")
    user.set_password(PASSWORD)
    user.save()
    return user


@pytest.fixture
def signed_in(client, farid):
    """And asked for the password again already, as before each change to the account."""
    client.post(reverse("account_login"), {"login": "farid", "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


@pytest.fixture
def secured(signed_in, farid):
    """With an authenticator app and recovery codes."""
    auth.TOTP.activate(farid, auth.generate_totp_secret())
    RecoveryCodes.activate(farid)
    return signed_in


def whole(answer):
    shown = answer.content.decode()
    assert answer.status_code == 200
    assert "tokens.css" in shown, "it has our frame"
    assert not THEIRS.search(shown)
    assert not FORBIDDEN.search(shown)
    return shown


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("account_login", "Sign in"),
        ("account_inactive", "This account is closed"),
    ],
)
def test_pages_for_everybody_have_our_words(name, heading, client):
    assert f"<h1>{heading}</h1>" in whole(client.get(reverse(name)))


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("account_change_password", "Change your password"),
        ("account_logout", "Sign out?"),
        ("account_reauthenticate", "Confirm that it is you"),
        ("mfa_index", "Two-factor sign-in"),
        ("mfa_activate_totp", "Set up the authenticator app"),
    ],
)
def test_pages_of_an_account_have_our_words(name, heading, signed_in):
    assert f"<h1>{heading}</h1>" in whole(signed_in.get(reverse(name)))


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("mfa_reauthenticate", "Confirm that it is you"),
        ("mfa_deactivate_totp", "Turn the authenticator app off?"),
        ("mfa_view_recovery_codes", "Recovery codes"),
        ("mfa_generate_recovery_codes", "Make recovery codes?"),
    ],
)
def test_pages_of_the_second_factor_have_our_words(name, heading, secured):
    assert f"<h1>{heading}</h1>" in whole(secured.get(reverse(name)))


@pytest.mark.parametrize(
    "path", ["signup/", "email/", "confirm-email/", "password/reset/", "password/reset/done/", "password/set/"]
)
def test_what_would_need_a_mail_does_not_exist(path, signed_in):
    assert signed_in.get(f"/accounts/{path}").status_code == 404


def test_too_many_attempts_are_refused_on_a_page_of_ours(client, settings):
    settings.ACCOUNT_RATE_LIMITS = {"login": "1/m/ip"}
    guesses = [
        client.post(reverse("account_login"), {"login": name, "password": "guess"}, REMOTE_ADDR="192.0.2.77")
        for name in ("farid", "siti")
    ]
    assert [answer.status_code for answer in guesses] == [200, 429]
    assert "Wait a minute" in guesses[-1].content.decode()
    assert "tokens.css" in guesses[-1].content.decode()


def test_a_password_is_changed_and_what_is_wrong_is_said_at_its_field(signed_in, farid):
    url = reverse("account_change_password")
    new = {"oldpassword": PASSWORD, "password1": "an-even-longer-one", "password2": "an-even-longer-one"}
    wrong = signed_in.post(url, new | {"oldpassword": "guess"})
    assert wrong.context["form"].errors["oldpassword"]
    said = signed_in.post(url, new, follow=True)
    assert "Your password is changed." in said.content.decode()
    farid.refresh_from_db()
    assert farid.check_password("an-even-longer-one")


def test_an_app_is_set_up_gives_recovery_codes_and_is_turned_off(signed_in, farid):
    url = reverse("mfa_activate_totp")
    secret = signed_in.get(url).context["form"].secret
    assert signed_in.post(url, {"code": "000000x"}).context["form"].errors["code"]
    code = auth.format_hotp_value(auth.hotp_value(secret, next(iter(auth.yield_hotp_counters_from_time()))))
    assert "10 of 10 are left." in whole(signed_in.post(url, {"code": code}, follow=True))
    assert set(farid.authenticator_set.values_list("type", flat=True)) == {"totp", "recovery_codes"}
    whole(signed_in.post(reverse("mfa_deactivate_totp"), follow=True))
    assert not farid.authenticator_set.exists()

"""Behind a reverse proxy each caller's guesses are counted apart."""

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.test import Client

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery 9"


@pytest.fixture(autouse=True)
def fresh_counts():
    cache.clear()
    yield
    cache.clear()


def through_proxy(address):
    return Client(REMOTE_ADDR="10.0.0.1", HTTP_X_FORWARDED_FOR=address)


def test_a_stranger_who_guesses_locks_out_nobody_but_himself(settings):
    settings.TRUSTED_PROXIES = ["10.0.0.1"]
    User.objects.create_user("nurse", password=PASSWORD)
    stranger, nurse = through_proxy("203.0.113.66"), through_proxy("198.51.100.7")
    for n in range(12):
        stranger.post("/accounts/login/", {"login": f"nobody{n}", "password": "wrong"})
    for browser in (stranger, nurse):
        browser.post("/accounts/login/", {"login": "nurse", "password": PASSWORD})
    assert "_auth_user_id" in nurse.session
    assert "_auth_user_id" not in stranger.session

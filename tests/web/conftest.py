from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from messaging.models import Connection
from messaging.roles import ROLES
from tests.factories import make_connection, make_user

SignIn = Callable[[str], Client]


@pytest.fixture(autouse=True)
def plain_static_files(settings):
    """Pages are drawn without collectstatic."""
    settings.STORAGES = settings.STORAGES | {
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}
    }


@pytest.fixture
def users(db) -> dict[str, User]:
    """One user for each role, named like it, and a stranger without any."""
    return {role: make_user(role, role) for role in ROLES} | {"stranger": make_user("stranger")}


@pytest.fixture
def sign_in(users) -> SignIn:
    """A browser in which the user of that role has signed in."""

    def signed_in(role: str) -> Client:
        client = Client()
        client.force_login(users[role])
        return client

    return signed_in


@pytest.fixture
def connection(db) -> Connection:
    return make_connection(name="Klang")

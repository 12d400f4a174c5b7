from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.http import HttpResponse
from django.urls import reverse

from messaging.clients import add_key, create_client
from messaging.clock import db_now
from messaging.connections import pause_connection, resume_connection
from messaging.doorkeeping import create_door_client, rotate_door_key
from messaging.models import ApiClient, Connection, DoorClient, WebhookEndpoint
from messaging.webhooks import create_endpoint

RECEIVER = "https://1.1.1.1/hook?token=theirs"  # an address: nothing is looked up, and nothing here calls it


@pytest.fixture
def admin(users) -> User:
    return users["admin"]


@pytest.fixture
def shop(admin) -> ApiClient:
    client = create_client(name="Shop", scopes=["read", "send"], owner=admin, user=admin, now=db_now())
    add_key(client=client, user=admin, now=db_now())
    return client


@pytest.fixture
def desk(admin, connection) -> DoorClient:
    client = create_door_client(
        name="Parcel desk", mode="observe", connection=connection, owner=admin, allowed_peers=["127.0.0.0/8"],
        user=admin, now=db_now(),
    )  # fmt: skip
    rotate_door_key(client=client, user=admin, now=db_now())
    return client


@pytest.fixture
def endpoint(admin) -> WebhookEndpoint:
    endpoint, _secret = create_endpoint(url=RECEIVER, event_types=["connection.state"], owner=admin, now=db_now())
    return endpoint


def happen(connection: Connection, user: User) -> None:
    """Two events for whoever is told of connections."""
    pause_connection(connection=connection, user=user, now=db_now())
    resume_connection(connection=connection, user=user, now=db_now())


def address(name: str, thing: Any, *more: Any) -> str:
    return reverse(name, args=[thing.public_id, *more])


def shown_once(answer: HttpResponse) -> list[str]:
    """The secrets in an answer that nothing may keep."""
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    return [secret for _words, secret in answer.context["once"].values]

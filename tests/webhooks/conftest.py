from __future__ import annotations

from collections.abc import Collection, Iterator

import pytest

from messaging.clock import db_now
from messaging.models import Connection, EventType, WebhookEndpoint
from messaging.webhooks import create_endpoint
from tests.factories import make_connection, make_user
from tests.webhooks.receivers import Receiver, receiving


@pytest.fixture(autouse=True)
def loopback_allowed(settings) -> None:
    """As under `manage.py up`: receivers stand beside us."""
    settings.WEBHOOKS_ALLOW_HTTP, settings.WEBHOOKS_PORTS = True, []
    settings.WEBHOOKS_ALLOWED_NETWORKS = ["127.0.0.0/8"]


@pytest.fixture
def connection(db) -> Connection:
    return make_connection()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


def subscribe(url: str = "http://127.0.0.1:9/", event_types: Collection[str] = EventType.values) -> WebhookEndpoint:
    """An endpoint of somebody's for these events, all by default."""
    endpoint, _secret = create_endpoint(url=url, event_types=event_types, owner=make_user(), now=db_now())
    return endpoint

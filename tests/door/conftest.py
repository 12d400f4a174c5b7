from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

import pytest

from messaging.clock import db_now
from messaging.doorkeeping import create_door_client, rotate_door_key
from messaging.models import Connection, DoorClient
from tests.factories import make_connection, make_user
from tests.twin import Twin, running_twin

from .serving import serving


@dataclass(frozen=True)
class Account:
    """A door client with its pair."""

    client: DoorClient
    app_key: str
    app_secret: str

    def form(self, **fields: str) -> dict[str, str]:
        return {"user": self.app_key, "pass": self.app_secret} | fields


def make_account(connection: Connection, **fields: object) -> Account:
    defaults = {"name": f"System {DoorClient.objects.count()}", "allowed_peers": ["127.0.0.0/8"], "owner": make_user()}
    client = create_door_client(connection=connection, user=None, now=db_now(), **defaults | fields)
    return Account(client, *rotate_door_key(client=client, user=None, now=db_now()))


@pytest.fixture(scope="session")
def twin_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    with running_twin(tmp_path_factory.mktemp("sandbox")) as twin:
        yield twin


@pytest.fixture(scope="session")
def port(django_db_setup: None, django_db_blocker, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Where our own server listens."""
    with serving(tmp_path_factory.mktemp("served") / "log") as port:
        yield port


@pytest.fixture
def connection(db: None, twin_process: Twin) -> Connection:
    """A connection to the twin, which knows nobody yet."""
    twin_process.control("reset")
    return make_connection(
        base_url=twin_process.url,
        app_key=twin_process.user,
        app_secret=twin_process.secret,
        balance=Decimal(1_000_000),
        balance_currency="MYR",
    )


@pytest.fixture
def account(connection: Connection) -> Account:
    return make_account(connection)


@pytest.fixture
def twin(twin_process: Twin, account: Account) -> Twin:
    """The twin with an account of the same name and secret as the door's client."""
    twin_process.control(
        "accounts",
        user=account.app_key,
        state="ok",
        allow_list=[],
        hooks={"dn": None, "mo": None},
        **{"pass": account.app_secret},
    )
    return twin_process

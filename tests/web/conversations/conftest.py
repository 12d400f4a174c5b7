"""People who wrote: a while ago, too long ago, by SMS."""

from datetime import timedelta

import pytest

from messaging.clock import db_now
from tests.factories import (
    make_contact,
    make_conversation,
    make_mo,
)


@pytest.fixture
def aminah():
    return make_contact("60123240066", name="Aminah", fields={"ward": "Klang"})


@pytest.fixture
def talk(aminah, connection):
    """Aminah wrote ten minutes ago."""
    at = db_now() - timedelta(minutes=10)
    make_mo(connection=connection, contact=aminah, body="Boleh saya tanya?", timeline_at=at)
    return make_conversation(aminah, connection, last_mo_at=at, unread=1)


@pytest.fixture
def closed(connection):
    """Tan wrote two days ago."""
    at = db_now() - timedelta(days=2)
    tan = make_contact(name="Tan")
    make_mo(connection=connection, contact=tan, body="Hello?", timeline_at=at)
    return make_conversation(tan, connection, last_mo_at=at)


@pytest.fixture
def by_sms(connection):
    """Mei wrote by SMS."""
    at = db_now() - timedelta(minutes=10)
    mei = make_contact(name="Mei")
    make_mo(connection=connection, contact=mei, body="Hello?", channel="sms", timeline_at=at)
    return make_conversation(mei, connection, channel="sms", last_message_at=at)

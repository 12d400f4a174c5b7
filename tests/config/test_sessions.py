"""A process that hangs holds up nobody for long: PostgreSQL ends its session and frees what it had locked."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from django.db import Error, transaction
from django.db import connection as database
from django.db.backends.base.base import BaseDatabaseWrapper

from contacts.models import Contact
from tests.factories import make_contact

pytestmark = pytest.mark.django_db(transaction=True)
LOCK_SQL = "SELECT id FROM contacts_contact WHERE id = %s FOR UPDATE"


@pytest.fixture
def hanging(settings) -> Iterator[BaseDatabaseWrapper]:
    """The session of a process that will say nothing for longer than it may."""
    settings.IDLE_IN_TRANSACTION_S, settings.IDLE_SESSION_S = 0.2, 0.4
    session = database.copy()
    yield session
    session.close()


def test_a_transaction_that_hangs_is_ended_and_its_rows_are_free(hanging):
    contact = make_contact()
    hanging.set_autocommit(False)
    with hanging.cursor() as cursor:
        cursor.execute(LOCK_SQL, [contact.pk])
    with transaction.atomic():
        assert Contact.objects.select_for_update().get(pk=contact.pk), "waits for the one that hangs, then goes on"
    with pytest.raises(Error), hanging.cursor() as cursor:
        cursor.execute("SELECT 1")


def test_a_session_that_hangs_outside_a_transaction_loses_its_turn(hanging):
    with hanging.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(1)")
    time.sleep(0.6)
    with database.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(1), pg_advisory_unlock(1)")
        assert cursor.fetchone()[0]

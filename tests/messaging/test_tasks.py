"""What a Celery task does beyond calling its service."""

from __future__ import annotations

import pytest

from messaging import tasks
from tests.factories import make_connection

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def published(monkeypatch):
    hints = []
    monkeypatch.setattr(tasks, "publish", lambda task, *args, **options: hints.append((task.name, *args)))
    return hints


def test_a_drain_at_the_end_of_its_budget_goes_on_behind_the_hints_that_wait(monkeypatch, published):
    monkeypatch.setattr(tasks, "DRAIN_BUDGET_S", 0.0)
    connection = make_connection()
    tasks.drain(connection.pk)
    assert published == [("messaging.tasks.drain", connection.pk)]


def test_a_drain_that_found_nothing_more_to_do_is_not_repeated(published):
    tasks.drain(make_connection().pk)
    assert published == []

"""Celery's part: hurry along what stands in PostgreSQL. Any of these may be lost, late or repeated without harm.

Time limits are for workers that hang; each is longer than the task can take while it gets anywhere.
"""

import time

from django.conf import settings

from config.celery import app
from contacts import imports
from messaging import heart, webhooks, work
from messaging.alone import alone
from messaging.models import Connection
from messaging.publishing import publish

DRAIN_BUDGET_S = 10.0  # then another connection gets the worker
RECORD_S = 90.0  # a drain writes down what its last requests came to, also over a database that is away
DRAIN_LIMIT_S = DRAIN_BUDGET_S + settings.FIRST_BYTE_S + settings.PROVIDER_DEADLINE_S + RECORD_S
TICK_LIMIT_S, IMPORT_LIMIT_S = 900, 3600  # both go on where they were cut off
DELIVER_BUDGET_S = 20.0
BEAT_S = 2  # of drain_all: its hints expire before they pile up


@app.task(time_limit=DRAIN_LIMIT_S)
def drain(connection_id: int) -> None:
    """What a drain leaves at the end of its budget goes on behind the hints that wait already, not at beat's next."""
    until = time.monotonic() + DRAIN_BUDGET_S
    work.send_in_turn(connection_id, budget_s=DRAIN_BUDGET_S)
    if time.monotonic() >= until:
        publish(drain, connection_id)
    _hurry_webhooks()


@app.task
def drain_all() -> None:
    """A hint for each connection with work, in any order, so that of many slow ones none is always the last."""
    heart.beat("beat")
    due = Connection.objects.sending().with_due_messages().order_by("?")
    for connection_id in due.values_list("pk", flat=True):
        publish(drain, connection_id, expires_s=BEAT_S)


@app.task
def digest_all() -> None:
    work.digest()
    _hurry_webhooks()


@app.task(time_limit=TICK_LIMIT_S)
def tick() -> None:
    work.tick()
    _hurry_webhooks()


@app.task
def deliver_webhooks() -> None:
    """A run leaves what hangs to the next one, which finds it in this same process."""
    webhooks.deliver(budget_s=DELIVER_BUDGET_S)


@app.task(time_limit=IMPORT_LIMIT_S)
def import_contacts(import_id: int) -> None:
    """One import at a time: a second one waits its turn, and not in a worker."""
    with alone("imports") as mine:
        if mine:
            imports.run_import(import_id)
            imports.run_waiting()


@app.task(time_limit=IMPORT_LIMIT_S)
def import_waiting() -> None:
    """Imports that nobody's nudge started, or whose worker died."""
    with alone("imports") as mine:
        if mine:
            imports.run_waiting()


def _hurry_webhooks() -> None:
    """What we just did may have told somebody something."""
    if webhooks.any_due():
        publish(deliver_webhooks, expires_s=BEAT_S)

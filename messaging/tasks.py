"""Celery's part: hurry along what stands in PostgreSQL. Any of these may be lost, late or repeated without harm."""

from config.celery import app
from contacts import imports
from messaging import ingest, sending, ticks
from messaging.models import Connection

DRAIN_BUDGET_S = 10.0  # then another connection gets the worker


@app.task
def drain(connection_id: int) -> None:
    sending.drain(connection_id, budget_s=DRAIN_BUDGET_S)


@app.task
def drain_all() -> None:
    for connection_id in Connection.objects.sending().with_due_messages().values_list("pk", flat=True):
        sending.drain(connection_id, budget_s=DRAIN_BUDGET_S)


@app.task
def digest_all() -> None:
    ingest.digest_all()


@app.task
def tick() -> None:
    ticks.tick()


@app.task
def import_contacts(import_id: int) -> None:
    imports.run_import(import_id)


@app.task
def import_waiting() -> None:
    """Imports that nobody's nudge started, or whose worker died."""
    imports.run_waiting()

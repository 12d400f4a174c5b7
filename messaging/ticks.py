"""Everything that has to be looked at again and again. Idempotent; beat runs it, or each round of `manage.py drain`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import structlog
from django.contrib.sessions.models import Session
from django.db import InterfaceError, OperationalError

from contacts.imports import forget_files
from messaging import approval, campaigns, clients, holds, ingest, planning, receiving, restoring, sending, webhooks
from messaging.alone import alone
from messaging.clock import db_now

log = structlog.get_logger()


def _look_for_a_restore(now: datetime) -> int:
    """1 if a backup was restored: people learn of it also where nothing is due."""
    return restoring.note_seen(now) if restoring.same_database() else 1


def _forget_sessions(now: datetime) -> int:
    """Of people who signed in once and never came back."""
    return Session.objects.filter(expire_date__lt=now).delete()[0]


TICKS: tuple[tuple[str, Callable[[datetime], int]], ...] = (
    ("restored", _look_for_a_restore),
    ("spool", receiving.drain_spool),
    ("reap", sending.reap),
    ("plan", planning.materialise_waiting),
    ("start", campaigns.start_due),
    ("cancel", campaigns.cancel_rows),
    ("forget", planning.forget_plans),
    ("expire", holds.expire),
    ("wake", holds.wake),
    ("parked", ingest.retry_parked),
    ("sandbox templates", approval.post_sandbox_templates),
    ("finish", campaigns.finish_done),
    ("idempotency keys", clients.forget_answers),
    ("webhooks", webhooks.tidy),
    ("received calls", ingest.forget_raw),
    ("import files", forget_files),
    ("sessions", _forget_sessions),
)


def tick() -> dict[str, int]:
    """Run every tick once; one that fails does not stop the others. Returns what each of them changed.

    One that another process is at is left to that: a plan that takes a minute holds up neither worker nor tick.
    """
    changed: dict[str, int] = {}
    for name, run in TICKS:
        try:
            with alone(f"tick.{name}") as mine:
                changed[name] = run(db_now()) if mine else 0
        except (OperationalError, InterfaceError) as error:
            log.warning("tick.failed", tick=name, error=type(error).__name__)
        except Exception:  # whatever it is, the others do not wait for it
            log.exception("tick.failed", tick=name)
    return {name: count for name, count in changed.items() if count}

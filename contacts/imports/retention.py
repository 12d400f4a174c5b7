"""Uploaded files are kept for a month after their import; what it counted and changed stays in its report."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import transaction

from contacts.models import ContactImport

log = structlog.get_logger()

KEPT_FOR = timedelta(days=30)
CHUNK = 100
OVER = (ContactImport.State.DONE, ContactImport.State.FAILED)


def forget_files(now: datetime) -> int:
    """Tick: delete the files of the next imports that ended longer ago, with their bad rows; how many imports.

    The files go first: a tick that dies in between finds the rows again, and deleting what is gone is no error.
    """
    old = ContactImport.objects.filter(state__in=OVER, files_forgotten_at=None, finished_at__lt=now - KEPT_FOR)
    return sum(_forgiving(one.pk, now) for one in old.order_by("pk")[:CHUNK])


def _forgiving(import_id: int, now: datetime) -> bool:
    """A file that cannot be deleted is logged, and keeps no other one."""
    try:
        return _forget(import_id, now)
    except OSError as error:
        log.error("import.file_kept", contact_import=import_id, error=type(error).__name__)
        return False


@transaction.atomic
def _forget(import_id: int, now: datetime) -> bool:
    found = ContactImport.objects.select_for_update().get(pk=import_id)
    for kept in (found.file, found.bad_rows):
        if kept.name:
            kept.storage.delete(kept.name)
    ContactImport.objects.filter(pk=import_id).update(files_forgotten_at=now)
    return True

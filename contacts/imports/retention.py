"""Uploaded files are kept for a month after their import; what it counted and changed stays in its report.

A file whose columns nobody has chosen for a month goes as if it were thrown away: nobody of it went in.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from django.db import transaction
from django.db.models import Q

from contacts.models import ContactImport

log = structlog.get_logger()

KEPT_FOR = timedelta(days=30)
CHUNK = 100
OVER = (ContactImport.State.DONE, ContactImport.State.FAILED)
WAITING = ContactImport.State.COLUMNS


def forget_files(now: datetime) -> int:
    """Tick: delete the files of the next imports that ended or began to wait longer ago; how many imports.

    The files go first: a tick that dies in between finds the rows again, and deleting what is gone is no error.
    """
    ended = Q(state__in=OVER, files_forgotten_at=None, finished_at__lt=now - KEPT_FOR)
    waiting = Q(state=WAITING, created_at__lt=now - KEPT_FOR)
    old = ContactImport.objects.filter(ended | waiting)
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
    found = ContactImport.objects.select_for_update().filter(pk=import_id, state__in=(*OVER, WAITING)).first()
    if found is None:
        return False  # thrown away or set to work since it was looked for
    for kept in (found.file, found.bad_rows):
        if kept.name:
            kept.storage.delete(kept.name)
    if found.state == WAITING:
        found.delete()
    else:
        ContactImport.objects.filter(pk=import_id).update(files_forgotten_at=now)
    return True

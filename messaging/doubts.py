"""A provider refused a text that it was said to have approved."""

from datetime import datetime

from django.db import transaction

from messaging.audit import audit
from messaging.models import ProviderApproval

DOUBTED = ProviderApproval.State.DOUBTED


@transaction.atomic
def doubt_version(*, version_id: int, connection_id: int, evidence: str, now: datetime) -> None:
    """Doubt it until a person has looked; no effect if it is doubted already."""
    approval = ProviderApproval.objects.lock(version_id=version_id, connection_id=connection_id, now=now)
    if approval.state == DOUBTED:
        return
    approval.enter(DOUBTED, evidence=evidence, now=now)
    place = {"version": approval.version.number, "connection": approval.connection.name}
    audit(actor=None, act="template.doubted", subject=approval.version.template, now=now, **place)

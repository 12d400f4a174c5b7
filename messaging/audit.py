"""Who did what: one row, written in the transaction of the act itself."""

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db.models import Model, QuerySet

from messaging.models import AuditEvent


def audit(*, actor: User | None, act: str, subject: Model, now: datetime, **detail: Any) -> AuditEvent:
    """Write the event; `actor` None means that the system did it by itself."""
    return AuditEvent.objects.create(actor=actor, act=act, **_named(subject), detail=detail, at=now)


def history(subject: Model) -> QuerySet[AuditEvent]:
    """Everything done to a thing, oldest first."""
    return AuditEvent.objects.filter(**_named(subject)).select_related("actor").order_by("at", "pk")


def _named(subject: Model) -> dict[str, Any]:
    return {"subject_type": subject._meta.model_name, "subject_id": subject.pk}

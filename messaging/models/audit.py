from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class AuditEvent(models.Model):
    """Who did what to which thing, when. Append-only (trigger); written in the transaction of the act itself."""

    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    act = models.CharField(max_length=64)  # campaign.launched, connection.stopped …
    subject_type = models.CharField(max_length=32)
    subject_id = models.BigIntegerField()
    detail = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("audit event")
        indexes = [models.Index("subject_type", "subject_id", "at", name="audit_by_subject")]

    def __str__(self) -> str:
        return f"{self.act} {self.at:%Y-%m-%d %H:%M}"

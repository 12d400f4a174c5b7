from __future__ import annotations

import uuid
from datetime import datetime

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from contacts.models import Purpose


class Template(models.Model):
    """A text we want approved, as it is being written. Submitting it makes an immutable version.

    `editor_ids` are all users who ever wrote the draft; it only grows (trigger), so no writer can later approve.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=120, unique=True)
    language = models.CharField(_("language"), max_length=16, default="en")
    purpose = models.CharField(_("purpose"), max_length=24, choices=Purpose, default=Purpose.SERVICE)
    body = models.TextField(_("text"), max_length=4096, blank=True)
    samples = models.JSONField(default=dict, blank=True)  # placeholder → sample value
    editor_ids = ArrayField(models.IntegerField(), default=list)
    retired_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("template")

    def __str__(self) -> str:
        return self.name


class TemplateVersionQuerySet(models.QuerySet["TemplateVersion"]):
    def approved(self) -> TemplateVersionQuerySet:
        """Versions that may be sent: approved by us, of templates not retired."""
        return self.filter(state=TemplateVersion.State.APPROVED, template__retired_at=None)


class TemplateVersion(models.Model):
    """One submitted text: in_review → approved → retired, or in_review → returned. Its text never changes (trigger).

    The database itself refuses an approver who wrote, edited or submitted it.
    """

    class State(models.TextChoices):
        IN_REVIEW = "in_review", _("In review")
        APPROVED = "approved", _("Approved")
        RETURNED = "returned", _("Returned")
        RETIRED = "retired", _("Retired")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    template = models.ForeignKey(Template, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    language = models.CharField(max_length=16)
    purpose = models.CharField(max_length=24, choices=Purpose)
    body = models.TextField()
    samples = models.JSONField(default=dict)
    sha256 = models.BinaryField(max_length=32)  # of the body in UTF-8; the gate compares
    state = models.CharField(max_length=9, choices=State, default=State.IN_REVIEW)
    editor_ids = ArrayField(models.IntegerField())
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    submitted_at = models.DateTimeField()
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = TemplateVersionQuerySet.as_manager()

    class Meta:
        ordering = ["template", "-number"]
        verbose_name = _("template version")
        permissions = [("approve_templateversion", "Can approve or return template versions")]
        constraints = [
            models.UniqueConstraint(fields=["template", "number"], name="template_version_number_once"),
            models.UniqueConstraint(
                fields=["template"], condition=Q(state="in_review"), name="template_one_version_in_review"
            ),
            models.CheckConstraint(
                name="template_version_approved_by_somebody",
                condition=~Q(state__in=["approved", "retired"]) | Q(approved_by__isnull=False),
            ),
            models.CheckConstraint(
                name="template_version_not_approved_by_submitter",
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("submitted_by")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.template} v{self.number}"


class TemplateReview(models.Model):
    """What a reviewer said of a version."""

    class Decision(models.TextChoices):
        APPROVED = "approved", _("Approved")
        RETURNED = "returned", _("Returned")

    version = models.ForeignKey(TemplateVersion, models.PROTECT, related_name="reviews")
    reviewer = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    decision = models.CharField(max_length=8, choices=Decision)
    reason = models.TextField(blank=True)
    at = models.DateTimeField()

    class Meta:
        ordering = ["at"]
        constraints = [
            models.CheckConstraint(
                name="template_review_return_has_a_reason", condition=Q(decision="approved") | ~Q(reason="")
            )
        ]

    def __str__(self) -> str:
        return f"{self.version}: {self.decision}"


class ProviderApprovalQuerySet(models.QuerySet["ProviderApproval"]):
    def lock(self, *, version_id: int, connection_id: int, now: datetime) -> ProviderApproval:
        """This provider's word on this version, made if there is none, its row held until the transaction ends."""
        self.get_or_create(version_id=version_id, connection_id=connection_id, defaults={"at": now})
        held = self.select_for_update(no_key=True, of=("self",)).select_related("version__template", "connection")
        return held.get(version=version_id, connection=connection_id)


class ProviderApproval(models.Model):
    """What a connection's provider thinks of a version. pending → approved ⇄ doubted (a 406 came back)."""

    class State(models.TextChoices):
        PENDING = "pending", _("Not confirmed yet")
        APPROVED = "approved", _("Approved")
        DOUBTED = "doubted", _("Doubted: the provider refused it")

    version = models.ForeignKey(TemplateVersion, models.CASCADE, related_name="provider_approvals")
    connection = models.ForeignKey("messaging.Connection", models.CASCADE, related_name="template_approvals")
    state = models.CharField(max_length=8, choices=State, default=State.PENDING)
    evidence = models.TextField(blank=True)
    at = models.DateTimeField()

    objects = ProviderApprovalQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["version", "connection"], name="provider_approval_once")]

    def __str__(self) -> str:
        return f"{self.version} at {self.connection}: {self.state}"

    def enter(self, state: str, *, evidence: str, now: datetime) -> None:
        """Change what the provider is said to think, and how we know."""
        self.state, self.evidence, self.at = state, evidence, now
        self.save(update_fields=["state", "evidence", "at"])

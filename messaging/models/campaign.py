from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from contacts.models import Purpose


class CampaignQuerySet(models.QuerySet["Campaign"]):
    def running(self) -> CampaignQuerySet:
        return self.filter(state=Campaign.State.RUNNING)


class Campaign(models.Model):
    """One message to many, with a text for each lane.

    draft → in_review → approved → scheduled → preparing → running ⇄ paused → finished
      ↑________|___________|___________|            cancelled: from any state but finished
    A trigger holds these arrows, and that texts, audience, editors and submitter never change outside draft. The
    database itself refuses an approver who wrote, edited or submitted it. Finished is computed: no passing row is left.
    """

    class State(models.TextChoices):
        DRAFT = "draft", _("Draft")
        IN_REVIEW = "in_review", _("In review")
        APPROVED = "approved", _("Approved")
        SCHEDULED = "scheduled", _("Scheduled")
        PREPARING = "preparing", _("Preparing")
        RUNNING = "running", _("Running")
        PAUSED = "paused", _("Paused")
        FINISHED = "finished", _("Finished")
        CANCELLED = "cancelled", _("Cancelled")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=120)
    # The campaign whose failures this one tries again, itself no retry: all tries of a message name the first one.
    retry_of = models.ForeignKey("self", models.PROTECT, null=True, blank=True, related_name="retries")
    connection = models.ForeignKey("messaging.Connection", models.PROTECT, related_name="campaigns")
    purpose = models.CharField(_("purpose"), max_length=24, choices=Purpose, default=Purpose.SERVICE)
    session_text = models.TextField(_("session text"), max_length=4096, blank=True)
    template_version = models.ForeignKey(
        "messaging.TemplateVersion", models.PROTECT, null=True, blank=True, related_name="campaigns"
    )
    sms_text = models.TextField(_("SMS text"), max_length=960, blank=True)
    texts_sha256 = models.BinaryField(max_length=32, null=True, editable=False)  # of session_text ␟ sms_text, UTF-8

    send_at = models.DateTimeField(_("send at"), null=True, blank=True)  # None: at launch
    not_after = models.DateTimeField(_("not after"), null=True, blank=True)
    until_reply = models.BooleanField(_("hold session texts until they write"), default=False)
    quiet_from = models.TimeField(_("quiet from"), null=True, blank=True)
    quiet_to = models.TimeField(_("quiet to"), null=True, blank=True)
    time_zone = models.CharField(_("time zone"), max_length=64, default="Asia/Kuala_Lumpur")

    state = models.CharField(max_length=9, choices=State, default=State.DRAFT)
    editor_ids = ArrayField(models.IntegerField(), default=list)
    submitted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    submitted_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    approved_at = models.DateTimeField(null=True, blank=True)
    plan_cursor = models.BigIntegerField(default=0)  # the last contact whose planned row is written
    plan_sealed_at = models.DateTimeField(null=True, blank=True)  # every planned row is written
    plan_hash = models.CharField(max_length=64, blank=True)
    start_cursor = models.BigIntegerField(default=0)  # the last message that start decided
    launched_at = models.DateTimeField(null=True, blank=True)
    launched_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    finished_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.PositiveIntegerField(default=0)  # of the draft: two editors never overwrite each other unseen

    objects = CampaignQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("campaign")
        permissions = [
            ("approve_campaign", "Can approve or return campaigns"),
            ("launch_campaign", "Can launch, pause, resume and cancel campaigns"),
            ("export_campaign", "Can export the people of campaigns"),
        ]
        constraints = [
            models.CheckConstraint(
                name="campaign_submitted_by_somebody",
                condition=Q(state__in=["draft", "cancelled"])
                | Q(submitted_by__isnull=False, submitted_at__isnull=False, texts_sha256__isnull=False),
            ),
            models.CheckConstraint(
                name="campaign_approved_by_somebody",
                condition=Q(state__in=["draft", "in_review", "cancelled"]) | Q(approved_by__isnull=False),
            ),
            models.CheckConstraint(
                name="campaign_approval_ends_with_draft",
                condition=~Q(state__in=["draft", "in_review"]) | Q(approved_by__isnull=True),
            ),
            models.CheckConstraint(
                name="campaign_not_approved_by_submitter",
                condition=Q(approved_by__isnull=True)
                | (Q(submitted_by__isnull=False) & ~Q(approved_by=F("submitted_by"))),
            ),
            models.CheckConstraint(
                name="campaign_quiet_hours_come_in_pairs",
                condition=Q(quiet_from__isnull=True, quiet_to__isnull=True)
                | Q(quiet_from__isnull=False, quiet_to__isnull=False),
            ),
        ]
        indexes = [models.Index(fields=["connection", "state"], name="campaign_by_connection")]

    def __str__(self) -> str:
        return self.name


class CampaignAudience(models.Model):
    """A list that is in a campaign's audience, or taken out of it. Fixed outside draft (trigger)."""

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="audience")
    contact_list = models.ForeignKey("contacts.ContactList", models.PROTECT, related_name="+")
    excluded = models.BooleanField(default=False)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["campaign", "contact_list"], name="campaign_audience_once")]

    def __str__(self) -> str:
        return f"{'not ' if self.excluded else ''}{self.contact_list}"


class AudienceRemoval(models.Model):
    """A row of a campaign's sources that made no message: listed = removed + audience."""

    class Reason(models.TextChoices):
        DUPLICATE = "duplicate", _("Already in another list")
        EXCLUDED = "excluded", _("In an excluded list")

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="removals")
    contact = models.ForeignKey("contacts.Contact", models.PROTECT, related_name="+")
    contact_list = models.ForeignKey("contacts.ContactList", models.PROTECT, related_name="+")  # the row's source
    reason = models.CharField(max_length=12, choices=Reason)
    because_of = models.ForeignKey("contacts.ContactList", models.PROTECT, related_name="+")  # the list that decided

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["campaign", "contact", "contact_list"], name="audience_removal_once")
        ]

    def __str__(self) -> str:
        return f"{self.contact}: {self.reason}"

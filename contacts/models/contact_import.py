from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class ContactImportQuerySet(models.QuerySet["ContactImport"]):
    def unfinished(self) -> ContactImportQuerySet:
        """What a worker still has to do, or to take up again after a kill."""
        return self.filter(state__in=[ContactImport.State.UPLOADED, ContactImport.State.RUNNING]).order_by("pk")


class ContactImport(models.Model):
    """One file of people: uploaded → running → done | failed. Good rows go in; the others come back as a file.

    `created + updated + duplicate + bad` is the number of rows read.
    """

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("Waiting")
        RUNNING = "running", _("Running")
        DONE = "done", _("Done")
        FAILED = "failed", _("Failed")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    file = models.FileField(upload_to="imports/")
    file_name = models.CharField(max_length=200)
    contact_list = models.ForeignKey("contacts.ContactList", models.SET_NULL, null=True, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.UPLOADED)
    mapping = models.JSONField(default=dict, blank=True)  # header → msisdn | name | language | a field key
    encoding = models.CharField(max_length=16, blank=True)  # what the user said it is; blank: BOM, else UTF-8
    rows = models.PositiveIntegerField(default=0)  # how many the file has, once it has been checked
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    duplicate = models.PositiveIntegerField(default=0)
    bad = models.PositiveIntegerField(default=0)
    bad_rows = models.FileField(upload_to="imports/", blank=True)
    position = models.CharField(
        max_length=15, blank=True
    )  # the last number that went in; a killed run goes on after it
    error = models.TextField(blank=True)  # why the whole file failed, in the user's words
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    objects = ContactImportQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("import")

    def __str__(self) -> str:
        return self.file_name

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
    """One file of people: (columns →) uploaded → running → done | failed.

    Good rows go in; the others come back as a file. One whose columns nobody knows yet waits for a person to say.

    `created + updated + duplicate + bad` is the number of rows read. Of the updated, `renamed` and `changed` say in how
    many the file brought anything new; `changes` has the first of either.
    """

    class State(models.TextChoices):
        COLUMNS = "columns", _("Columns to choose")
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
    columns_chosen = models.BooleanField(default=False)  # by a person, for this file or one with the same headings
    encoding = models.CharField(max_length=16, blank=True)  # what the user said it is; blank: BOM, else UTF-8
    header = models.JSONField(default=list, blank=True)  # the titles in the file's order; `mapping` keeps none
    title = models.CharField(max_length=200, blank=True)  # what stands above the headings, its beginning
    title_lines = models.PositiveIntegerField(default=0)  # the first so many, as the user's spreadsheet numbers them
    rows = models.PositiveIntegerField(default=0)  # how many the file has, once it has been checked
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    renamed = models.PositiveIntegerField(default=0)  # of the updated: another name stood there before
    changed = models.PositiveIntegerField(default=0)  # of the updated: the name stayed, something else of them is new
    duplicate = models.PositiveIntegerField(default=0)
    duplicate_rows = models.JSONField(default=list, blank=True)  # the first of them: [row, the row that counted]
    mixed_dates = models.JSONField(default=list, blank=True)  # [a field's key, a row of each way to write a date]
    bad = models.PositiveIntegerField(default=0)
    opted_out = models.PositiveIntegerField(default=0)  # of the people who went in, when the import ended
    nameless = models.PositiveIntegerField(default=0)  # likewise
    bad_rows = models.FileField(upload_to="imports/", blank=True)
    position = models.CharField(
        max_length=15, blank=True
    )  # the last number that went in; a killed run goes on after it
    error = models.TextField(blank=True)  # why the whole file failed, in the user's words
    settled_at = models.DateTimeField(null=True, blank=True)  # its bad rows, or its failure, need nobody any more
    files_forgotten_at = models.DateTimeField(null=True, blank=True)  # the file and its bad rows are deleted
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


class ImportChange(models.Model):
    """What one import changed of one known person. An import keeps the first few; a trigger deletes an erased one's."""

    contact_import = models.ForeignKey(ContactImport, models.CASCADE, related_name="changes")
    contact = models.ForeignKey("contacts.Contact", models.CASCADE, related_name="+")
    row = models.PositiveIntegerField()  # as the user's spreadsheet numbers it
    old_name = models.CharField(max_length=200, blank=True)  # both blank: the name stayed as it was
    new_name = models.CharField(max_length=200, blank=True)
    keys = models.JSONField(default=list, blank=True)  # what else is new: language, or keys of fields

    class Meta:
        ordering = ["pk"]
        verbose_name = _("change by an import")
        verbose_name_plural = _("changes by imports")
        constraints = [
            models.UniqueConstraint(fields=["contact_import", "contact"], name="import_changes_a_person_once")
        ]

    def __str__(self) -> str:
        return f"{self.contact_import}: {self.row}"

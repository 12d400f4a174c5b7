from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from contacts.models import Purpose

# An opt-out's confirmation reaches people who opted out, so it is ours alone.
PURPOSES = [(purpose.value, purpose.label) for purpose in Purpose if purpose is not Purpose.OPT_OUT_CONFIRMATION]


class DoorClient(models.Model):
    """A system that was written for the provider and calls our copy of its URL instead.

    observe skips window and matcher, warn does and tells, enforce refuses; none skips suppression, erasure or the
    connection's state.
    """

    class Mode(models.TextChoices):
        OBSERVE = "observe", _("Observe: let through what the window or the templates would stop, and report it")
        WARN = "warn", _("Warn: let it through, and tell the owner")
        ENFORCE = "enforce", _("Enforce: refuse it as the provider would")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=80, unique=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    connection = models.ForeignKey("messaging.Connection", models.PROTECT, related_name="door_clients")
    mode = models.CharField(_("mode"), max_length=7, choices=Mode, default=Mode.ENFORCE)
    purpose = models.CharField(_("purpose"), max_length=24, choices=PURPOSES, default=Purpose.SERVICE)
    allowed_peers = ArrayField(models.CharField(max_length=43))  # CIDRs; secrets may come in a GET, so never empty
    repeat_guard_s = models.PositiveIntegerField(_("same call within so many seconds is one"), null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    disabled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("door client")
        constraints = [
            models.CheckConstraint(name="door_client_has_addresses", condition=~Q(allowed_peers=[])),
            models.CheckConstraint(
                name="door_client_confirms_no_opt_outs", condition=~Q(purpose=Purpose.OPT_OUT_CONFIRMATION)
            ),
        ]

    def __str__(self) -> str:
        return self.name


class DoorKey(models.Model):
    """A pair of APP_KEY and APP_SECRET (kept as SHA-256). Two may be valid at once, so that one can be rotated."""

    client = models.ForeignKey(DoorClient, models.CASCADE, related_name="keys")
    app_key = models.CharField(max_length=32, unique=True)
    digest = models.BinaryField(max_length=32)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.app_key


class DoorCall(models.Model):
    """One call that was answered with a ref; DNs of its messages go out as `ref-position`."""

    client = models.ForeignKey(DoorClient, models.PROTECT, db_index=False, related_name="calls")
    ref = models.CharField(max_length=64, unique=True)
    to = models.CharField(max_length=150)  # as given, and so answered
    fingerprint = models.BinaryField(max_length=32)  # SHA-256 over to and text: what a repeat would be
    would_be = models.CharField(max_length=64, blank=True)  # the reason that observe or warn let pass
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("call of the door")
        verbose_name_plural = _("calls of the door")
        indexes = [
            models.Index("client", "fingerprint", "at", name="door_call_repeats"),
            models.Index("client", "at", condition=~Q(would_be=""), name="door_call_let_pass"),
        ]

    def __str__(self) -> str:
        return self.ref


class DoorRecipient(models.Model):
    """One entry of a call's `to`, and the message that it became."""

    call = models.ForeignKey(DoorCall, models.CASCADE, db_index=False, related_name="recipients")
    position = models.PositiveSmallIntegerField()
    message = models.OneToOneField("messaging.Message", models.PROTECT, related_name="door_recipient")

    class Meta:
        constraints = [models.UniqueConstraint(fields=["call", "position"], name="door_recipient_once")]

    def __str__(self) -> str:
        return f"{self.call_id}-{self.position}"

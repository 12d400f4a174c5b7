from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _


class InboundRaw(models.Model):
    """What a hook received, as bytes, before anything looked at it. (received_at, id) is the order of receipt.

    Kept for a month (ingest/retention.py).
    """

    class Kind(models.TextChoices):
        DN = "dn", _("Delivery notification")
        MO = "mo", _("Incoming message")

    connection = models.ForeignKey("messaging.Connection", models.PROTECT, db_index=False, related_name="inbound")
    kind = models.CharField(max_length=2, choices=Kind)
    method = models.CharField(max_length=4)
    query = models.BinaryField(default=b"")
    content_type = models.CharField(max_length=200, blank=True)
    body = models.BinaryField(default=b"")
    truncated = models.BooleanField(default=False)
    peer = models.GenericIPAddressField(null=True)
    received_at = models.DateTimeField(db_default=Now())
    digested_at = models.DateTimeField(null=True, blank=True)
    problem = models.CharField(max_length=200, blank=True)  # why nothing could be read from it
    call_id = models.UUIDField(null=True, editable=False)  # made at the hook, so that no call becomes two rows

    class Meta:
        verbose_name = _("received call")
        constraints = [
            models.UniqueConstraint(fields=["call_id"], condition=Q(call_id__isnull=False), name="inbound_call_once")
        ]
        indexes = [
            models.Index(
                "connection", "kind", "received_at", "id", condition=Q(digested_at=None), name="inbound_waiting"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.received_at:%Y-%m-%d %H:%M:%S}"


class DeliveryNotice(models.Model):
    """One DN as read from its raw call: applied to its message, history, or parked until its request is known."""

    class State(models.TextChoices):
        PARKED = "parked", _("Waiting for its request")
        APPLIED = "applied", _("Applied")
        HISTORY = "history", _("Kept as history")

    raw = models.ForeignKey(
        InboundRaw, models.PROTECT, null=True, blank=True, related_name="notices"
    )  # for a month: ingest/retention.py
    connection = models.ForeignKey("messaging.Connection", models.PROTECT, db_index=False, related_name="notices")
    received_at = models.DateTimeField()
    status = models.CharField(max_length=32)  # as sent, upper case
    error_code = models.CharField(max_length=16, blank=True)
    msisdn = models.CharField(max_length=32, blank=True)
    address_hmac = models.BinaryField(max_length=32, null=True)
    msgid = models.CharField(max_length=120, blank=True)
    state = models.CharField(max_length=7, choices=State, default=State.PARKED)
    flag = models.CharField(max_length=64, blank=True)  # what was odd: number_beats_index, ambiguous_ref …
    recipient = models.ForeignKey(
        "messaging.RequestRecipient", models.PROTECT, null=True, blank=True, related_name="notices"
    )

    class Meta:
        verbose_name = _("delivery notification")
        indexes = [
            models.Index("connection", "received_at", condition=Q(state="parked"), name="notice_parked"),
            models.Index("connection", "received_at", condition=Q(error_code="553"), name="notice_no_credit"),
        ]

    def __str__(self) -> str:
        return f"{self.status} {self.msgid}"

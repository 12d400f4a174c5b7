from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Outcome(models.TextChoices):
    """What we know of a call to the provider: in_flight → accepted | refused | not_sent | unknown → accepted."""

    IN_FLIGHT = "in_flight", _("waiting for the answer")
    ACCEPTED = "accepted", _("accepted by the provider")
    REFUSED = "refused", _("refused by the provider")
    NOT_SENT = "not_sent", _("certainly not sent")
    UNKNOWN = "unknown", _("nobody knows")


class ResolvedBy(models.TextChoices):
    RESPONSE = "response", _("the provider's answer")
    LEASE = "lease", _("its time ran out")
    DN = "dn", _("a delivery notification")
    PERSON = "person", _("a person")
    RESTORE = "restore", _("a restored backup")


class ProviderRequest(models.Model):
    """The intent: committed before a byte leaves, so that no request to the provider can be unknown to us."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    connection = models.ForeignKey("messaging.Connection", models.PROTECT, db_index=False, related_name="requests")
    token = models.UUIDField()  # the claim that made it; fences its messages
    channel = models.CharField(max_length=8)
    lane = models.CharField(max_length=8)
    text = models.TextField()  # exactly as posted
    started_at = models.DateTimeField()
    deadline = models.DateTimeField()
    outcome = models.CharField(max_length=9, choices=Outcome, default=Outcome.IN_FLIGHT)
    resolved_by = models.CharField(max_length=8, choices=ResolvedBy, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    code = models.CharField(max_length=16, blank=True)
    desc = models.CharField(max_length=300, blank=True)
    error = models.CharField(max_length=200, blank=True)  # ours, without URL, secret or text
    ref = models.CharField(max_length=64, blank=True)  # may repeat: the provider makes it from microtime

    class Meta:
        verbose_name = _("request to the provider")
        verbose_name_plural = _("requests to the provider")
        indexes = [
            models.Index("connection", "ref", condition=~Q(ref=""), name="request_by_ref"),
            models.Index("deadline", condition=Q(outcome="in_flight"), name="request_in_flight"),
        ]

    def __str__(self) -> str:
        return f"{self.started_at:%Y-%m-%d %H:%M:%S} {self.outcome} {self.ref}"


class RequestRecipient(models.Model):
    """One message in one request. A message has at most one live row: the proof that it is nowhere twice.

    `superseded_at` is set only when a person, knowing the risk, sends an unknown again.
    """

    request = models.ForeignKey(ProviderRequest, models.PROTECT, db_index=False, related_name="recipients")
    message = models.ForeignKey("messaging.Message", models.PROTECT, related_name="attempts")
    position = models.PositiveSmallIntegerField()  # in `to`, from 0; a DN's suffix names it
    address_hmac = models.BinaryField(max_length=32)  # of the msisdn as sent
    outcome = models.CharField(max_length=9, choices=Outcome, default=Outcome.IN_FLIGHT)
    resolved_by = models.CharField(max_length=8, choices=ResolvedBy, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    judge = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    superseded_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("recipient of a request")
        verbose_name_plural = _("recipients of requests")
        constraints = [
            models.UniqueConstraint(
                fields=["message"],
                condition=Q(outcome__in=["in_flight", "accepted", "unknown"], superseded_at__isnull=True),
                name="recipient_one_live_request",
            ),
            models.UniqueConstraint(fields=["request", "position"], name="recipient_position_once"),
            models.UniqueConstraint(fields=["request", "address_hmac"], name="recipient_address_once"),
        ]
        indexes = [
            models.Index("address_hmac", condition=Q(outcome="unknown"), name="recipient_unknown"),
            models.Index("resolved_by", condition=Q(resolved_by="dn"), name="recipient_settled"),
            models.Index("judge", condition=Q(judge__isnull=False), name="recipient_judge"),  # few rows have one
        ]

    def __str__(self) -> str:
        return f"{self.request_id}-{self.position}"

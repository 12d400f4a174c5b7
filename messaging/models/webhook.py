from __future__ import annotations

import uuid
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import URLValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from messaging.fields import EncryptedTextField


class EventType(models.TextChoices):
    """What a subscriber may be told of."""

    MESSAGE_STATUS = "message.status", _("A message's status changed")
    MESSAGE_RECEIVED = "message.received", _("A person wrote to us")
    CONSENT_CHANGED = "consent.changed", _("A person opted out or in")
    CAMPAIGN_STATE = "campaign.state", _("A campaign's state changed")
    TEMPLATE_REVIEWED = "template.reviewed", _("A template was approved or returned")
    CONNECTION_STATE = "connection.state", _("A connection stopped or was resumed")


class WebhookEndpoint(models.Model):
    """A receiver of events.

    active ⇄ paused (by a person, or by itself after five days without a success): events wait until it is resumed
    any → disabled (deleted, or its receiver answered 410): nothing is written for it any more, its log stays readable
    """

    class Format(models.TextChoices):
        STANDARD = "standard", _("JSON, signed as Standard Webhooks")
        DOOR_DN = "door_dn", _("DNs in the provider's shape")
        DOOR_MO = "door_mo", _("Incoming messages in the provider's shape")

    class State(models.TextChoices):
        ACTIVE = "active", _("Active")
        PAUSED = "paused", _("Paused")
        DISABLED = "disabled", _("Disabled")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    url = models.CharField(_("URL"), max_length=500, validators=[URLValidator(["http", "https"])])
    description = models.CharField(_("description"), max_length=120, blank=True)
    format = models.CharField(max_length=8, choices=Format, default=Format.STANDARD)
    event_types = ArrayField(models.CharField(max_length=24, choices=EventType))
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    client = models.ForeignKey("messaging.ApiClient", models.SET_NULL, null=True, blank=True, related_name="endpoints")
    door_client = models.ForeignKey(
        "messaging.DoorClient", models.CASCADE, null=True, blank=True, related_name="endpoints"
    )
    state = models.CharField(max_length=8, choices=State, default=State.ACTIVE)
    paused_because = models.CharField(max_length=200, blank=True)
    failing_since = models.DateTimeField(null=True, blank=True)  # the first failure after the last success
    quiet_until = models.DateTimeField(null=True, blank=True)  # its receiver asked for a rest: Retry-After
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("webhook endpoint")
        constraints = [
            models.CheckConstraint(
                name="webhook_endpoint_of_a_door",
                condition=Q(format="standard", door_client__isnull=True)
                | Q(format__in=["door_dn", "door_mo"], door_client__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return self.description or self.url

    @property
    def host(self) -> str:
        """What may be shown to everybody: the rest of the URL may hold a token of the receiver's."""
        return urlsplit(self.url).netloc


class WebhookSecret(models.Model):
    """What an endpoint's deliveries are signed with; during a rotation two, and each delivery has both signatures."""

    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, related_name="secrets")
    secret = EncryptedTextField()  # whsec_…, shown once
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return f"of {self.endpoint_id} since {self.created_at:%Y-%m-%d}"


class OutboxEvent(models.Model):
    """Something that happened, written by a trigger in the statement that changes the row, if anybody is subscribed.

    `seq` counts one message's events from 1, so that a receiver can tell an older one that comes late. `data` is what
    was so at that moment; whom it concerns is read when it leaves, so that an erased number is in no old event.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    type = models.CharField(max_length=24, choices=EventType)
    message = models.ForeignKey("messaging.Message", models.PROTECT, null=True, db_index=False, related_name="+")
    seq = models.PositiveIntegerField(null=True)
    contact = models.ForeignKey("contacts.Contact", models.PROTECT, null=True, db_index=False, related_name="+")
    data = models.JSONField()
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("event for subscribers")
        verbose_name_plural = _("events for subscribers")
        constraints = [
            models.UniqueConstraint(
                fields=["message", "seq"], condition=Q(message__isnull=False), name="outbox_seq_once"
            )
        ]
        indexes = [models.Index("at", name="outbox_by_time")]

    def __str__(self) -> str:
        return f"{self.type} {self.public_id}"


class WebhookDelivery(models.Model):
    """One event on its way to one endpoint: waiting → delivered | given_up; a replay sets it waiting again."""

    class State(models.TextChoices):
        WAITING = "waiting", _("On its way")
        DELIVERED = "delivered", _("Delivered")
        GIVEN_UP = "given_up", _("Given up")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    endpoint = models.ForeignKey(WebhookEndpoint, models.CASCADE, db_index=False, related_name="deliveries")
    event = models.ForeignKey(OutboxEvent, models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=9, choices=State, default=State.WAITING)
    tries = models.PositiveSmallIntegerField(default=0)
    next_at = models.DateTimeField()
    lease_until = models.DateTimeField(null=True, blank=True)
    lease_token = models.UUIDField(null=True, editable=False)
    delivered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [models.UniqueConstraint(fields=["endpoint", "event"], name="webhook_delivery_once")]
        indexes = [
            models.Index("endpoint", "next_at", "id", condition=Q(state="waiting"), name="webhook_delivery_due"),
            models.Index(
                "endpoint", "lease_until", condition=Q(lease_until__isnull=False), name="webhook_delivery_in_flight"
            ),
            models.Index("endpoint", F("id").desc(), name="webhook_delivery_log"),
        ]

    def __str__(self) -> str:
        return f"{self.event_id} to {self.endpoint_id}: {self.state}"


class WebhookAttempt(models.Model):
    """One try of a delivery: what the receiver said."""

    delivery = models.ForeignKey(WebhookDelivery, models.CASCADE, related_name="attempts")
    at = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    error = models.CharField(max_length=200, blank=True)  # ours, without the URL
    answer = models.CharField(max_length=200, blank=True)  # the first characters, for admins
    ms = models.PositiveIntegerField()

    class Meta:
        ordering = ["pk"]
        verbose_name = _("webhook attempt")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M:%S} {self.status or self.error}"

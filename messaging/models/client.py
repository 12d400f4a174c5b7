from __future__ import annotations

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    """What a key may do. No scope approves anything: that takes a person."""

    SEND = "send", _("Send messages")
    READ = "read", _("Read messages, conversations and the balance")
    CONTACTS = "contacts", _("Read and change people and lists")
    CAMPAIGNS = "campaigns", _("Write templates and campaigns, launch what staff approved")
    WEBHOOKS = "webhooks", _("Manage webhook endpoints")


class ApiClient(models.Model):
    """Another system that uses the REST API. Its owner answers for what it does: an API key's editor is its owner."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=80, unique=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    scopes = ArrayField(models.CharField(max_length=16, choices=Scope), verbose_name=_("scopes"))
    live = models.BooleanField(_("live"), default=True)  # a test client's messages reach sandbox connections alone
    allowed_peers = ArrayField(models.CharField(max_length=43), default=list, blank=True)  # CIDRs; none: any address
    rate_per_minute = models.PositiveIntegerField(
        _("requests a minute"), default=600, validators=[MinValueValidator(1), MaxValueValidator(1_000_000)]
    )
    created_at = models.DateTimeField(auto_now_add=True)
    disabled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name"]
        verbose_name = _("API client")
        permissions = [("manage_apiclient", "Can make, change and disable API clients, door clients and webhooks")]
        constraints = [models.CheckConstraint(name="api_client_has_a_scope", condition=~Q(scopes=[]))]

    def __str__(self) -> str:
        return self.name


class ApiKey(models.Model):
    """One secret of a client, kept as SHA-256 and shown once. Two may be valid at once, so that one can be rotated."""

    client = models.ForeignKey(ApiClient, models.CASCADE, related_name="keys")
    prefix = models.CharField(max_length=20, unique=True)  # wg_live_<8 characters>: what people and logs call it
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)  # to the minute
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]
        verbose_name = _("API key")

    def __str__(self) -> str:
        return self.prefix


class IdempotencyKey(models.Model):
    """A client's promise that two calls are one: what the first was answered, in the transaction of what it did."""

    client = models.ForeignKey(ApiClient, models.CASCADE, db_index=False, related_name="+")
    digest = models.BinaryField(max_length=32)  # SHA-256 of the key as the client sent it
    fingerprint = models.BinaryField(max_length=32)  # SHA-256 over method, path and body
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(blank=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["client", "digest"], name="idempotency_key_once")]

    def __str__(self) -> str:
        return f"{self.client_id} {self.created_at:%Y-%m-%d %H:%M}"


class ApiQuota(models.Model):
    """How many requests a client made in the current minute; one row a client, updated in one statement."""

    client = models.OneToOneField(ApiClient, models.CASCADE, primary_key=True, related_name="quota")
    minute_at = models.DateTimeField()
    used = models.PositiveIntegerField()

    class Meta:
        verbose_name = _("API quota")

    def __str__(self) -> str:
        return f"{self.client_id}: {self.used}"

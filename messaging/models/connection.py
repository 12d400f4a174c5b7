from __future__ import annotations

import hashlib
import uuid

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, URLValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from messaging.fields import EncryptedTextField
from messaging.models.message import Message
from messaging.statuses import SendState


class ConnectionQuerySet(models.QuerySet["Connection"]):
    def sending(self) -> ConnectionQuerySet:
        """Connections that may send now."""
        return self.filter(state=Connection.State.OK)

    def with_due_messages(self) -> ConnectionQuerySet:
        """Connections with something queued; whether it may leave, the claim finds out."""
        queued = Message.objects.filter(connection=models.OuterRef("pk"), send_state=SendState.QUEUED)
        return self.filter(models.Exists(queued))

    def for_hook(self, token: str) -> Connection | None:
        """The connection that a hook token belongs to, or None."""
        digest = hashlib.sha256(token.encode()).digest()
        return self.filter(hook_tokens__digest=digest, hook_tokens__revoked_at=None).first()


class Connection(models.Model):
    """One account at a provider.

    ok ⇄ paused (by a person) · ok → no_credit (402) | credentials (401, 403) | suspended (407 412 413) | frozen
    (restored backup), each with an incident; a person resumes. Until then nothing is sent and no message changes.
    """

    class Kind(models.TextChoices):
        BULK360 = "bulk360", _("Bulk360")
        SANDBOX = "sandbox", _("Sandbox")

    class State(models.TextChoices):
        OK = "ok", _("Sending")
        NO_CREDIT = "no_credit", _("Stopped: no credit")
        CREDENTIALS = "credentials", _("Stopped: refused by the provider")
        SUSPENDED = "suspended", _("Stopped: account suspended")
        PAUSED = "paused", _("Paused")
        FROZEN = "frozen", _("Frozen after a restore")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=80, unique=True)
    kind = models.CharField(max_length=8, choices=Kind, default=Kind.BULK360)
    base_url = models.CharField(
        _("base URL"), max_length=200, validators=[URLValidator(["http", "https"])], default="https://sms.360.my"
    )
    send_path = models.CharField(_("send path"), max_length=120, default="/gw/bulk360/v3_0/send.php")
    balance_path = models.CharField(_("balance path"), max_length=120, default="/api/balance/v3_0/getBalance")
    app_key = models.CharField("APP_KEY", max_length=80)
    app_secret = EncryptedTextField("APP_SECRET")  # write-only on every screen
    sender_id = models.CharField(_("SMS sender ID"), max_length=11, blank=True)

    state = models.CharField(max_length=11, choices=State, default=State.OK)
    state_since = models.DateTimeField(auto_now_add=True)
    rate_per_s = models.PositiveIntegerField(
        _("recipients a second"), default=50, validators=[MinValueValidator(1), MaxValueValidator(10_000)]
    )
    max_in_flight = models.PositiveSmallIntegerField(
        _("requests in flight a worker"), default=16, validators=[MinValueValidator(1), MaxValueValidator(256)]
    )
    recipients_per_request = models.PositiveSmallIntegerField(
        _("recipients a request, at most"), default=12, validators=[MinValueValidator(1), MaxValueValidator(12)]
    )
    window_margin_s = models.PositiveIntegerField(_("safety margin before a window ends (s)"), default=60)
    daily_cap = models.PositiveSmallIntegerField(_("messages a person a day, at most"), null=True, blank=True)
    marketing_in_templates = models.BooleanField(_("marketing may use templates"), default=False)
    marketing_needs_opt_in = models.BooleanField(_("marketing needs an opt-in"), default=False)
    literal_last_dn = models.BooleanField(_("a late SENT reopens a final status"), default=False)
    time_zone = models.CharField(_("zone of times without one"), max_length=64, default="Asia/Kuala_Lumpur")
    mo_fields = models.JSONField(_("names of an MO's fields"), default=dict, blank=True)
    allowed_peers = models.JSONField(_("addresses that may call the hooks"), default=list, blank=True)  # CIDRs

    balance = models.DecimalField(max_digits=14, decimal_places=4, null=True, blank=True)
    balance_currency = models.CharField(max_length=3, blank=True)
    balance_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = _("connection")
        permissions = [("resume_connection", "Can stop and resume a connection")]

    def __str__(self) -> str:
        return self.name


class ConnectionPace(models.Model):
    """When the connection's next recipient may leave (GCRA's theoretical arrival time); one row a connection.

    Apart from Connection because every wave updates it.
    """

    connection = models.OneToOneField(Connection, models.CASCADE, primary_key=True, related_name="pace")
    next_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.connection_id} from {self.next_at:%H:%M:%S.%f}"


class HookToken(models.Model):
    """The secret part of a hook's URL, kept as SHA-256. Two may be valid at once, so that one can be rotated."""

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="hook_tokens")
    digest = models.BinaryField(max_length=32, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"token of {self.connection_id} since {self.created_at:%Y-%m-%d}"


class Incident(models.Model):
    """Something that stopped by itself and waits for a person. One open incident a (connection, campaign, kind)."""

    class Kind(models.TextChoices):
        NO_CREDIT = "no_credit", _("The account has no credit")
        CREDENTIALS = "credentials", _("The provider refuses our key or address")
        SUSPENDED = "suspended", _("The provider suspended the account")
        FROZEN = "frozen", _("A backup was restored")
        MISDIRECTED = "misdirected", _("What answers there is not the provider's send script")
        TEXT_CHANGED = "text_changed", _("A text is not the approved one")
        STUCK = "stuck", _("Messages keep breaking their worker")
        FAILING = "failing", _("The provider gives no usable answers")

    connection = models.ForeignKey(Connection, models.CASCADE, related_name="incidents")
    campaign = models.ForeignKey("messaging.Campaign", models.CASCADE, null=True, blank=True, related_name="incidents")
    kind = models.CharField(max_length=12, choices=Kind)
    code = models.CharField(max_length=16, blank=True)
    detail = models.TextField(blank=True)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        ordering = ["-opened_at"]
        verbose_name = _("incident")
        constraints = [
            models.UniqueConstraint(
                fields=["connection", "campaign", "kind"],
                condition=models.Q(closed_at=None),
                nulls_distinct=False,
                name="incident_open_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.opened_at:%Y-%m-%d %H:%M})"

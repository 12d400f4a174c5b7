from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

ALL = "all"  # any channel, any purpose


class Purpose(models.TextChoices):
    """Why a message is sent; consent is given and withdrawn by purpose."""

    SERVICE = "service", _("Service")
    MARKETING = "marketing", _("Marketing")
    AUTHENTICATION = "authentication", _("Authentication")
    OPT_OUT_CONFIRMATION = "opt_out_confirmation", _("Opt-out confirmation")


class ConsentEvent(models.Model):
    """One thing a person, or we for them, said about being contacted. Never changed, never deleted (trigger)."""

    class Direction(models.TextChoices):
        IN = "in", _("Agreed")
        OUT = "out", _("Opted out")

    class Source(models.TextChoices):
        PERSON = "person", _("The person's own message")
        NOTICE = "notice", _("A delivery notification")
        STAFF = "staff", _("A member of staff")
        IMPORT = "import", _("An import")
        API = "api", _("Another system")

    contact = models.ForeignKey("contacts.Contact", models.PROTECT, null=True, related_name="consent_events")
    address_hmac = models.BinaryField(max_length=32)
    channel = models.CharField(max_length=10)  # whatsapp | sms | all
    purpose = models.CharField(max_length=24)  # a Purpose, or all
    direction = models.CharField(max_length=3, choices=Direction)
    source = models.CharField(max_length=8, choices=Source)
    words = models.TextField(blank=True)  # what the person wrote, or the code and id of the DN
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        ordering = ["at", "pk"]
        verbose_name = _("consent event")
        indexes = [
            models.Index(fields=["contact", "at"], name="consent_by_contact"),
            models.Index("at", "contact", condition=models.Q(direction="out"), name="consent_out"),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.channel}/{self.purpose} {self.at:%Y-%m-%d %H:%M}"


class Suppression(models.Model):
    """An address that must not be messaged: the current state of the consent ledger. It outlives the person's erasure.

    `all` in channel or purpose beats any narrower scope. START lifts only rows whose source is the person.
    """

    address_hmac = models.BinaryField(max_length=32)
    channel = models.CharField(max_length=10, default=ALL)
    purpose = models.CharField(max_length=24, default=ALL)
    source = models.CharField(max_length=8, choices=ConsentEvent.Source)
    event = models.ForeignKey(ConsentEvent, models.PROTECT, related_name="+")
    since = models.DateTimeField()

    class Meta:
        verbose_name = _("suppression")
        constraints = [
            models.UniqueConstraint(fields=["address_hmac", "channel", "purpose"], name="suppression_once_per_scope")
        ]

    def __str__(self) -> str:
        return f"{self.channel}/{self.purpose} since {self.since:%Y-%m-%d}"

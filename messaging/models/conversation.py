from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from messaging.statuses import Channel

WAITS_SINCE = Coalesce("last_mo_at", "last_message_at")  # their latest MO; an SMS opens no window


class Conversation(models.Model):
    """One person on one connection and channel. `last_mo_at` opens the session window; MO ingest alone writes it."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    contact = models.ForeignKey("contacts.Contact", models.PROTECT, related_name="conversations")
    connection = models.ForeignKey("messaging.Connection", models.PROTECT, related_name="conversations")
    channel = models.CharField(max_length=8, choices=[(channel.value, channel.value) for channel in Channel])
    last_mo_at = models.DateTimeField(null=True, blank=True)
    last_message_at = models.DateTimeField()
    unread = models.PositiveIntegerField(default=0)  # MOs but a STOP, since we answered or saw that none is needed
    asks_to_stop = models.BooleanField(default=False)  # words that may mean STOP: staff decide
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    version = models.PositiveIntegerField(default=0)  # grows with every MO and reply; a stale reply asks first

    class Meta:
        verbose_name = _("conversation")
        permissions = [("reply_conversation", "Can answer people")]
        constraints = [
            models.UniqueConstraint(fields=["contact", "connection", "channel"], name="conversation_once"),
        ]
        indexes = [
            models.Index(F("last_message_at").desc(), F("id").desc(), name="conversation_newest"),
            models.Index("connection", "channel", "last_mo_at", name="conversation_window"),
            models.Index(
                F("last_message_at").desc(), F("id").desc(), condition=Q(unread__gt=0), name="conversation_unread"
            ),
            models.Index(
                F("last_message_at").desc(), F("id").desc(), condition=Q(asks_to_stop=True), name="conversation_asking"
            ),
            models.Index("last_mo_at", "id", condition=Q(channel=Channel.WHATSAPP), name="conversation_time_left"),
            models.Index(WAITS_SINCE, "id", condition=Q(unread__gt=0), name="conversation_waits"),
        ]

    def __str__(self) -> str:
        return f"{self.contact} ({self.channel})"


class ConversationEvent(models.Model):
    """Something in a person's timeline that is no message: a note, an assignment, a change of consent."""

    class Kind(models.TextChoices):
        NOTE = "note", _("Note")
        ASSIGNED = "assigned", _("Assigned")
        OPTED_OUT = "opted_out", _("Opted out")
        OPTED_IN = "opted_in", _("Opted in")
        NUMBER_BAD = "number_bad", _("Number marked bad")
        NUMBER_OK = "number_ok", _("Number works again")

    contact = models.ForeignKey("contacts.Contact", models.PROTECT, related_name="conversation_events")
    conversation = models.ForeignKey(Conversation, models.PROTECT, null=True, blank=True, related_name="events")
    kind = models.CharField(max_length=10, choices=Kind)
    text = models.TextField(blank=True)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("conversation event")
        indexes = [models.Index("contact", F("at").desc(), name="conversation_event_timeline")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.at:%Y-%m-%d %H:%M}"

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from contacts.models import Purpose
from messaging.policy import Lane
from messaging.statuses import PASSING, Channel, DeliveryState, SendState, Status, status


def _choices(words: type) -> list[tuple[str, str]]:
    return [(word.value, word.value) for word in words]  # type: ignore[attr-defined]


FAILED_STATES = ["refused", "skipped", "expired", "stuck", "unknown"]  # an agent's answer that needs another look


class MessageQuerySet(models.QuerySet["Message"]):
    def mts(self) -> MessageQuerySet:
        return self.filter(direction=Message.Direction.MT)

    def mos(self) -> MessageQuerySet:
        return self.filter(direction=Message.Direction.MO)

    def counted(self) -> MessageQuerySet:
        """The rows that a campaign's sums are made of: no test sends, no fallbacks."""
        return self.filter(fallback_of=None, test_of=None)

    def in_campaigns(self, contact_id: int) -> MessageQuerySet:
        """One person's rows in the campaigns that have started, newest first; at most one of each campaign."""
        return self.timeline_of(contact_id).mts().counted().filter(campaign__isnull=False)

    def passing(self) -> MessageQuerySet:
        """Rows that will still change state by themselves."""
        return self.filter(send_state__in=[state.value for state in PASSING])

    def unknowns(self) -> MessageQuerySet:
        """MTs of which nobody can say whether the provider has them."""
        return self.filter(send_state=SendState.UNKNOWN)

    def timeline_of(self, contact_id: int) -> MessageQuerySet:
        """One person's messages over all channels, newest first; plans that have not started are no part of it."""
        return self.filter(contact=contact_id).exclude(send_state=SendState.PLANNED).order_by("-timeline_at", "-pk")


class Message(models.Model):
    """One MT from planning on (skipped ones too), or one MO.

    send_state:     planned → queued → claimed → sending → accepted | refused | unknown
                    planned → held(quiet_hours | until_reply) → queued · planned | queued → skipped(reason) | expired
                    claimed, sending → queued (nothing left us) · unknown → accepted (its DN, or a person)
                    planned, held, queued → cancelled · claimed three times alone without an end → stuck
    delivery_state: none → sent → delivered ⇄ undelivered; from DNs only, also before accepted
    """

    class Direction(models.TextChoices):
        MT = "mt", _("to a person")
        MO = "mo", _("from a person")

    class HeldFor(models.TextChoices):
        QUIET_HOURS = "quiet_hours", _("quiet hours")
        UNTIL_REPLY = "until_reply", _("until they write")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    direction = models.CharField(max_length=2, choices=Direction, default=Direction.MT)
    contact = models.ForeignKey("contacts.Contact", models.PROTECT, db_index=False, related_name="messages")
    connection = models.ForeignKey("messaging.Connection", models.PROTECT, db_index=False, related_name="messages")
    campaign = models.ForeignKey(
        "messaging.Campaign", models.PROTECT, null=True, blank=True, db_index=False, related_name="messages"
    )
    test_of = models.ForeignKey(
        "messaging.Campaign", models.PROTECT, null=True, blank=True, db_index=False, related_name="test_sends"
    )
    fallback_of = models.ForeignKey("self", models.PROTECT, null=True, blank=True, db_index=False, related_name="+")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )
    client = models.ForeignKey(
        "messaging.ApiClient", models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )  # the other system that asked for it
    purpose = models.CharField(max_length=24, choices=Purpose, default=Purpose.SERVICE)

    # What it says: an MO's words, or a single MT's free text (`channel` then says which lane it is for). A campaign's
    # MT has its texts in the campaign; what really left stands in its ProviderRequest.
    body = models.TextField(blank=True)
    template_version = models.ForeignKey(
        "messaging.TemplateVersion", models.PROTECT, null=True, blank=True, db_index=False, related_name="messages"
    )
    variables = models.JSONField(default=dict, blank=True)  # a single MT's values, over the contact's fields
    reference = models.CharField(max_length=120, blank=True)  # the sender's own
    channel = models.CharField(max_length=8, choices=_choices(Channel), blank=True)
    answers = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )  # the MO it replies to

    planned_lane = models.CharField(max_length=8, choices=_choices(Lane), blank=True)
    planned_reason = models.CharField(max_length=64, blank=True)
    lane = models.CharField(max_length=8, choices=_choices(Lane), blank=True)
    reason = models.CharField(max_length=64, blank=True)
    facts = models.JSONField(null=True, blank=True)  # what it was decided on: policy.Verdict.facts
    parts = models.PositiveSmallIntegerField(null=True, blank=True)  # SMS parts

    send_state = models.CharField(max_length=9, choices=_choices(SendState), default=SendState.PLANNED)
    delivery_state = models.CharField(max_length=11, choices=_choices(DeliveryState), default=DeliveryState.NONE)
    due_at = models.DateTimeField(null=True, blank=True)  # queued: not before
    not_after = models.DateTimeField(null=True, blank=True)
    until_reply = models.BooleanField(default=False)
    window_waived = models.BooleanField(default=False, db_default=False)  # of a door client that is only observed
    held_for = models.CharField(max_length=11, choices=HeldFor, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)
    claim_token = models.UUIDField(null=True, editable=False)
    lease_until = models.DateTimeField(null=True, editable=False)
    claims_lost = models.PositiveSmallIntegerField(default=0)  # leases that ran out before the gate
    tries = models.PositiveSmallIntegerField(default=0)  # requests that certainly did not leave
    alone = models.BooleanField(default=False)  # a request of several was refused: this one goes by itself

    final_received_at = models.DateTimeField(null=True, editable=False)  # with final_notice: order of the DN applied
    final_notice = models.BigIntegerField(null=True, editable=False)
    error_code = models.CharField(max_length=16, blank=True)  # of the last DN applied
    provider_id = models.CharField(max_length=80, blank=True)  # an MO's id
    provider_at = models.DateTimeField(null=True, blank=True)  # an MO's time, as the provider says
    media = models.JSONField(null=True, blank=True)
    repeated = models.BooleanField(default=False)  # an MO that looks like its predecessor
    raw = models.ForeignKey(
        "messaging.InboundRaw", models.PROTECT, null=True, blank=True, db_index=False, related_name="+"
    )

    created_at = models.DateTimeField(auto_now_add=True)
    timeline_at = models.DateTimeField()  # when it left, came in, or is due
    accepted_at = models.DateTimeField(null=True, blank=True)
    final_at = models.DateTimeField(null=True, blank=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("message")
        permissions = [("judge_message", "Can decide what became of an unknown message")]
        constraints = [
            models.UniqueConstraint(
                fields=["campaign", "contact"],
                condition=Q(fallback_of__isnull=True, campaign__isnull=False),
                name="message_once_per_campaign",
            ),
            models.UniqueConstraint(
                fields=["fallback_of"], condition=Q(fallback_of__isnull=False), name="message_one_fallback"
            ),
            models.CheckConstraint(
                name="message_claim_has_token_and_lease",
                condition=~Q(send_state__in=["claimed", "sending"])
                | Q(claim_token__isnull=False, lease_until__isnull=False),
            ),
            models.CheckConstraint(
                name="message_held_says_what_for", condition=~Q(send_state="held") | ~Q(held_for="")
            ),
            models.CheckConstraint(name="message_skipped_says_why", condition=~Q(send_state="skipped") | ~Q(reason="")),
            models.CheckConstraint(
                name="message_sent_has_lane",
                condition=~Q(send_state__in=["sending", "accepted", "unknown"])
                | Q(direction="mo")
                | Q(lane__in=["session", "template", "sms"]),
            ),
            models.CheckConstraint(
                name="message_mo_is_no_mt",
                condition=~Q(direction="mo") | Q(campaign__isnull=True, send_state="accepted", lane=""),
            ),
        ]
        indexes = [
            models.Index("connection", "campaign", "id", condition=Q(send_state="queued"), name="message_queued"),
            models.Index("contact", F("timeline_at").desc(), F("id").desc(), name="message_timeline"),
            models.Index("lease_until", condition=Q(send_state__in=["claimed", "sending"]), name="message_leased"),
            models.Index("held_for", "held_until", condition=Q(send_state="held"), name="message_held"),
            models.Index("contact", condition=Q(send_state="held"), name="message_held_by_contact"),
            models.Index("not_after", condition=Q(send_state__in=["queued", "held"]), name="message_expiring"),
            models.Index(
                "connection", "id", condition=Q(send_state__in=["unknown", "stuck"]), name="message_undecided"
            ),
            # Equal keys share an entry: 100,000 people are some twenty keys, so that a report reads this index alone.
            models.Index(
                "campaign",
                "send_state",
                "delivery_state",
                "planned_lane",
                "lane",
                "planned_reason",
                "fallback_of",
                "test_of",
                condition=Q(campaign__isnull=False),
                name="message_sums",
            ),
            models.Index(
                "campaign",
                "accepted_at",
                condition=Q(campaign__isnull=False, accepted_at__isnull=False),
                name="message_pace",
            ),
            models.Index("reference", condition=~Q(reference=""), name="message_reference"),
            models.Index(
                "timeline_at",
                condition=Q(author__isnull=False)
                & (Q(send_state__in=FAILED_STATES) | Q(delivery_state=DeliveryState.UNDELIVERED)),
                name="message_failed_reply",
            ),
            # What a foreign key asks for each row that is deleted behind it; without these it reads the whole table.
            models.Index("answers", condition=Q(answers__isnull=False), name="message_answers"),
            models.Index("raw", condition=Q(raw__isnull=False), name="message_raw"),
        ]

    def __str__(self) -> str:
        return f"{self.direction} {self.public_id}"

    @property
    def status(self) -> Status:
        return status(SendState(self.send_state), DeliveryState(self.delivery_state))

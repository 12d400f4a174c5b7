"""What people did after a campaign reached them: they wrote to us, or they opted out."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from contacts.models import ConsentEvent
from messaging.models import Campaign, Conversation, Message
from messaging.statuses import Channel, DeliveryState

# Each begins with the few who did something since the launch: implied by the rest, it lets the planner start there.


def wrote(campaign: Campaign) -> Q:
    """Of its messages those whose person wrote to its connection, on any channel, after it reached them."""
    talks = _talks_since_launch(campaign)
    them = {"contact": OuterRef("contact")}
    by_whatsapp = talks.filter(channel=Channel.WHATSAPP, last_mo_at__gt=OuterRef("accepted_at"), **them)
    by_sms = _by_sms(campaign).filter(timeline_at__gt=OuterRef("accepted_at"), **them)
    return _reached() & Q(Exists(by_whatsapp) | Exists(by_sms), contact__in=talks.values("contact"))


def opted_out(campaign: Campaign) -> Q:
    """Of its messages those whose person opted out, of anything, after it reached them."""
    wishes = ConsentEvent.objects.filter(direction=ConsentEvent.Direction.OUT, at__gte=campaign.launched_at).order_by()
    after = wishes.filter(contact=OuterRef("contact"), at__gt=OuterRef("accepted_at"))
    return _reached() & Q(Exists(after), contact__in=wishes.values("contact"))


def talks(campaign: Campaign) -> QuerySet[Conversation]:
    """The conversations in which somebody wrote after it reached them."""
    reached = campaign.messages.counted().filter(_reached(), contact=OuterRef("contact"))
    by_sms = _by_sms(campaign).filter(contact=OuterRef("contact"), timeline_at__gt=OuterRef("accepted_at"))
    before = Q(Exists(reached.filter(accepted_at__lt=OuterRef("last_mo_at"))), channel=Channel.WHATSAPP)
    return _talks_since_launch(campaign).filter(before | Q(Exists(reached.filter(Exists(by_sms))), channel=Channel.SMS))


def _reached() -> Q:
    return Q(accepted_at__isnull=False) & ~Q(delivery_state=DeliveryState.UNDELIVERED)


def _talks_since_launch(campaign: Campaign) -> QuerySet[Conversation]:
    """Where they may have written since; of an SMS only the message itself tells (it opens no window)."""
    return Conversation.objects.filter(
        Q(channel=Channel.WHATSAPP, last_mo_at__gte=campaign.launched_at)
        | Q(channel=Channel.SMS, last_message_at__gte=campaign.launched_at),
        connection=campaign.connection_id,
    )


def _by_sms(campaign: Campaign) -> QuerySet[Message]:
    since = {"connection": campaign.connection_id, "timeline_at__gte": campaign.launched_at}
    return Message.objects.mos().filter(channel=Channel.SMS, **since).order_by()

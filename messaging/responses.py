"""What people did after a campaign reached them: they wrote to us, or they opted out."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from contacts.models import ConsentEvent
from messaging.models import Campaign, Conversation
from messaging.statuses import Channel, DeliveryState

# Each begins with the few who did something since the launch: implied by the rest, it lets the planner start there.


def wrote(campaign: Campaign) -> Q:
    """Of its messages those whose person wrote to its connection after it reached them."""
    talks = _talks_since_launch(campaign)
    after = talks.filter(contact=OuterRef("contact"), last_mo_at__gt=OuterRef("accepted_at"))
    return _reached() & Q(Exists(after), contact__in=talks.values("contact"))


def opted_out(campaign: Campaign) -> Q:
    """Of its messages those whose person opted out, of anything, after it reached them."""
    wishes = ConsentEvent.objects.filter(direction=ConsentEvent.Direction.OUT, at__gte=campaign.launched_at).order_by()
    after = wishes.filter(contact=OuterRef("contact"), at__gt=OuterRef("accepted_at"))
    return _reached() & Q(Exists(after), contact__in=wishes.values("contact"))


def talks(campaign: Campaign) -> QuerySet[Conversation]:
    """The conversations in which somebody wrote after it reached them."""
    reached = campaign.messages.counted().filter(_reached())
    before = reached.filter(contact=OuterRef("contact"), accepted_at__lt=OuterRef("last_mo_at"))
    return _talks_since_launch(campaign).filter(Exists(before))


def _reached() -> Q:
    return Q(accepted_at__isnull=False) & ~Q(delivery_state=DeliveryState.UNDELIVERED)


def _talks_since_launch(campaign: Campaign) -> QuerySet[Conversation]:
    return Conversation.objects.filter(
        connection=campaign.connection_id, channel__in=list(Channel), last_mo_at__gte=campaign.launched_at
    )

"""Another try for those whom a campaign did not reach: a draft of its own, linked to the first one."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from itertools import count

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from contacts.lists import BadName, add_ids, save_list
from contacts.models import ContactList, ListMembership
from messaging import planning
from messaging.audit import audit
from messaging.campaigns.cloning import CLONED, NAME_LIMIT
from messaging.campaigns.row import State
from messaging.errors import Refused
from messaging.failures import RETRYABLE, ToDo, failed_rows, failures
from messaging.models import Campaign, CampaignAudience, Message, Outcome, RequestRecipient
from messaging.statuses import DeliveryState, SendState

LIST_NAME_LIMIT = ContactList._meta.get_field("name").max_length or 0
ENDED = (State.FINISHED, State.CANCELLED)
GONE = (SendState.SENDING, SendState.ACCEPTED, SendState.UNKNOWN, SendState.STUCK)  # or waits for a person


class NobodyToRetry(Refused):
    """Everyone of this group has been reached by another try, may have been, or is in one that has not ended."""

    code = "nobody_to_retry"


@transaction.atomic
def retry_campaign(*, campaign: Campaign, to_do: ToDo, user: User, now: datetime) -> Campaign:
    """A draft with the campaign's texts for those of its people who failed so and whom no other try has or may reach.

    Its flight plan looks at everyone again, opt-outs and windows as well; until the very moment of sending the rule
    leaves out whom another try reached after all (policy.Reason.REACHED). Raises NobodyToRetry.
    """
    first = planning.lock_row(campaign.retry_of_id or campaign.pk)  # of two who press the button one makes a draft
    contacts = list(_left(campaign, to_do).values_list("contact", flat=True)) if to_do in RETRYABLE else []
    if not contacts:
        raise NobodyToRetry(_("Nobody is left to try again with: everyone here is in another try already."))
    kept = {field: getattr(campaign, field) for field in CLONED} | {"retry_of": first}
    name = (_("Try again: %s") % first.name)[:NAME_LIMIT]
    retry = Campaign.objects.create(name=name, editor_ids=[user.pk], **kept)
    members = _new_list(first)
    add_ids(contact_list=members, contact_ids=contacts)
    CampaignAudience.objects.create(campaign=retry, contact_list=members)
    audit(actor=user, act="campaign.retried", subject=retry, now=now, of=str(campaign.public_id), to_do=to_do.value)
    return retry


def _left(campaign: Campaign, to_do: ToDo) -> QuerySet[Message]:
    """The rows that failed so, without those of people whom another try reached, may have reached, or is for."""
    return failed_rows(campaign, to_do).filter(_may_be_tried(campaign))


def left_by_to_do(campaign: Campaign) -> Counter[ToDo]:
    """How many they are for each thing to do that another try helps."""
    left = Counter[ToDo]()
    for failure in failures(campaign, _may_be_tried(campaign)):
        left[failure.to_do] += failure.people
    return Counter({to_do: people for to_do, people in left.items() if to_do in RETRYABLE})


def _may_be_tried(campaign: Campaign) -> Q:
    """Whoever is in no other try and has no first copy that may still arrive, beside one that was sent again."""
    copies = RequestRecipient.objects.filter(message=OuterRef("pk"), superseded_at__isnull=False)
    alone = Q(alone=False) | Q(~Exists(copies.filter(outcome__in=[Outcome.UNKNOWN, Outcome.ACCEPTED])))
    others = other_tries(campaign)
    if not others:
        return alone
    gone = Message.objects.filter(campaign__in=others, send_state__in=GONE, contact=OuterRef("contact"))
    waiting = [one for one in others if one.retry_of_id and one.state not in ENDED]
    lists = CampaignAudience.objects.filter(campaign__in=waiting, excluded=False).values("contact_list")
    members = ListMembership.objects.filter(contact_list__in=lists, contact=OuterRef("contact"))
    return alone & Q(~Exists(gone.exclude(delivery_state=DeliveryState.UNDELIVERED)), ~Exists(members))


def other_tries(campaign: Campaign) -> list[Campaign]:
    """The campaigns that try to reach people with the same message, the first one first."""
    first = campaign.retry_of_id or campaign.pk
    return list(Campaign.objects.filter(Q(pk=first) | Q(retry_of=first)).exclude(pk=campaign.pk).order_by("pk"))


def _new_list(first: Campaign) -> ContactList:
    base = _("Not reached: %s") % first.name
    for number in count(1):
        ending = f" ({number})" if number > 1 else ""
        try:
            return save_list(contact_list=ContactList(), name=base[: LIST_NAME_LIMIT - len(ending)] + ending)
        except BadName:  # taken by an earlier try
            continue
    raise AssertionError

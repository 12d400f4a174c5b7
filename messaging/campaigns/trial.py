"""A campaign's message to one person, before everybody gets it."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact
from messaging import planning
from messaging.audit import audit
from messaging.campaigns.row import State, lock
from messaging.errors import WrongState
from messaging.models import Campaign, Message

APPROVED = (State.APPROVED, State.SCHEDULED, State.PREPARING, State.RUNNING, State.PAUSED)


@transaction.atomic
def send_test(*, campaign: Campaign, contact: Contact, user: User, now: datetime) -> Message:
    """Queue the campaign's message to one person as a test: the rule applies, the report does not count it.

    A test leaves the house like any other message, so its texts need their second person first.
    """
    campaign = lock(campaign)
    if campaign.state not in APPROVED:
        raise WrongState(_("A test really leaves: somebody else has to approve the campaign before."))
    message = planning.intended(campaign, contact)
    message.campaign, message.test_of = None, campaign
    message.author, message.send_state, message.timeline_at = user, "queued", now
    message.save()
    audit(actor=user, act="campaign.tested", subject=campaign, now=now, contact=str(contact.public_id))
    return message

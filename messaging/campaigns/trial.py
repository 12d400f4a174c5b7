"""A campaign's message to one person, before everybody gets it."""

from __future__ import annotations

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact
from messaging import planning, text
from messaging.audit import audit
from messaging.campaigns.row import State, lock
from messaging.errors import Refused, WrongState
from messaging.facts import Bodies, placeholder_values, prepare
from messaging.models import Campaign, Message
from messaging.reasons import reason_words

TESTABLE = (State.APPROVED, State.SCHEDULED, State.PREPARING, State.RUNNING, State.PAUSED)


class UnsendableTest(Refused):
    """The rule lets nothing leave to this person now; `detail["reason"]` says why."""

    code = "unsendable_test"


@transaction.atomic
def send_test(
    *, campaign: Campaign, contact: Contact, user: User, now: datetime, values_of: Contact | None = None
) -> Message:
    """Queue the campaign's message to one person as a test: the rule applies, the report does not count it.

    `values_of` lends what stands in for the placeholders. A test leaves the house like any other message, so its texts
    need their second person first. Raises WrongState, or UnsendableTest if nothing could leave now.
    """
    campaign = lock(campaign)
    if campaign.state not in TESTABLE:
        raise WrongState(_("A test really leaves: somebody else has to approve the campaign before."))
    message = planning.intended(campaign, contact)
    message.campaign, message.test_of = None, campaign
    message.variables = _lent(campaign, values_of) if values_of else {}
    _ask_rule(message, now)
    message.author, message.send_state, message.timeline_at = user, "queued", now
    message.save()
    audit(actor=user, act="campaign.tested", subject=campaign, now=now, contact=str(contact.public_id))
    return message


def _lent(campaign: Campaign, lender: Contact) -> dict[str, str]:
    """Only what the texts ask for; what the lender lacks is lacking in the test, too."""
    values = placeholder_values(lender.fields, lender.name, lender.msisdn)
    bodies = Bodies.of_campaign(campaign).of.values()
    return {key: values.get(key, "") for body in bodies for key in text.placeholders(body)}


def _ask_rule(message: Message, now: datetime) -> None:
    (prepared,) = prepare([message], connection=message.connection, now=now, queued=False)
    verdict = prepared and prepared.decide(now)
    if verdict and not verdict.sends:
        raise UnsendableTest(reason_words(verdict.reason), reason=verdict.reason)

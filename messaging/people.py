"""What staff do on a person's page: acts of the consent ledger that the person's timeline shows, too."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from contacts import consent
from contacts.models import ALL, ConsentEvent, Contact
from messaging.errors import Incomplete, WrongState
from messaging.models import ConversationEvent

Kind = ConversationEvent.Kind


@transaction.atomic
def opt_out(*, contact: Contact, words: str, user: User, now: datetime, channel: str = ALL, purpose: str = ALL) -> bool:
    """Stop writing to this person in this scope; `words` is what they said and where. Whether that is news."""
    words = _said(words)
    source = ConsentEvent.Source.STAFF
    change = consent.opt_out(
        contact=_living(contact), source=source, words=words, now=now, channel=channel, purpose=purpose, actor=user
    )
    _show(contact, Kind.OPTED_OUT, words, user, now)
    return change.changed


@transaction.atomic
def opt_in(*, contact: Contact, words: str, user: User, now: datetime, channel: str = ALL, purpose: str = ALL) -> bool:
    """Lift what stops us in this scope, whoever set it; `words` is the evidence. Whether anything is different now."""
    words = _said(words)
    source = ConsentEvent.Source.STAFF
    change = consent.opt_in(
        contact=_living(contact), source=source, words=words, now=now, channel=channel, purpose=purpose, actor=user
    )
    _show(contact, Kind.OPTED_IN, words, user, now)
    return change.changed


@transaction.atomic
def clear_bad(*, contact: Contact, channel: str, user: User, now: datetime) -> bool:
    """The number works after all; whether that is news."""
    if channel not in consent.CHANNELS:
        raise WrongState(_("There is no such channel."))
    cleared = consent.clear_bad(contact=contact, channel=channel)
    if cleared:
        _show(contact, Kind.NUMBER_OK, channel, user, now)
    return cleared


def _said(words: str) -> str:
    if not words.strip():
        raise Incomplete(_("Write what the person said, and where: it is kept as the evidence."))
    return words.strip()


def _living(contact: Contact) -> Contact:
    if not contact.address:
        raise WrongState(_("This person's data was erased."))
    return contact


def _show(contact: Contact, kind: str, text: str, user: User, now: datetime) -> None:
    ConversationEvent.objects.create(contact=contact, kind=kind, text=text, actor=user, at=now)

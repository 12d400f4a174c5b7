"""Words that may mean STOP: a person reads them and decides which it was."""

from datetime import datetime

from django.contrib.auth.models import User
from django.db import transaction

from messaging import people
from messaging.audit import audit
from messaging.models import Conversation


@transaction.atomic
def meant_to_stop(*, conversation: Conversation, words: str, user: User, now: datetime) -> None:
    """They did ask us to stop: nothing more on any channel, for any purpose; `words` is what they wrote."""
    people.opt_out(contact=conversation.contact, words=words, user=user, now=now)
    waiting = Conversation.objects.filter(contact=conversation.contact_id, asks_to_stop=True)
    waiting.update(asks_to_stop=False)
    audit(actor=user, act="conversation.meant_to_stop", subject=conversation, now=now)


@transaction.atomic
def did_not_mean_stop(*, conversation: Conversation, user: User, now: datetime) -> None:
    """The words meant something else; we go on as before."""
    Conversation.objects.filter(pk=conversation.pk).update(asks_to_stop=False)
    audit(actor=user, act="conversation.did_not_mean_stop", subject=conversation, now=now)

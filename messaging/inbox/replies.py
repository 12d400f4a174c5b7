"""What staff do in a conversation: answer, note, take it on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from contacts.models import Contact
from messaging import singles
from messaging.errors import Incomplete
from messaging.inbox.opt_outs import REPLY_PURPOSE, mos_of
from messaging.inbox.refusals import ReplyRefused, StaleConversation, refusal
from messaging.models import Conversation, ConversationEvent, Message, TemplateVersion
from messaging.policy import Lane
from messaging.staff import staff_name
from messaging.statuses import Channel
from messaging.text import normalize_body, storable

__all__ = [
    "ReplyRefused",
    "StaleConversation",
    "add_note",
    "assign",
    "nothing_to_answer",
    "reply",
    "reply_with_template",
]


def reply(
    *,
    conversation: Conversation,
    user: User,
    text: str,
    now: datetime,
    expected_version: int | None = None,
    channel: str = "",
    hold: bool = False,
) -> Message:
    """Queue free text as the answer to the person's latest MO; the edge then nudges the connection.

    `channel` sms sends it as an SMS instead; `hold` keeps it until they write, if the window is closed. Raises
    ReplyRefused, StaleConversation, Incomplete; the text is then still the caller's.
    """
    body = normalize_body(storable(text)).strip()
    if not body:
        raise Incomplete(_("Write a text first."))
    fields = {"body": body, "channel": channel or conversation.channel, "until_reply": hold}
    return _send(conversation, user, now, expected_version, fields)


def reply_with_template(
    *,
    conversation: Conversation,
    user: User,
    template_version: TemplateVersion,
    variables: dict[str, str],
    now: datetime,
    expected_version: int | None = None,
) -> Message:
    """Queue an approved template, also outside the window. Raises as `reply` does."""
    fields = {"template_version": template_version, "variables": variables, "channel": Channel.WHATSAPP}
    return _send(conversation, user, now, expected_version, fields)


@transaction.atomic
def _send(
    conversation: Conversation,
    user: User,
    now: datetime,
    expected_version: int | None,
    fields: dict[str, Any],
) -> Message:
    current = Conversation.objects.select_for_update(no_key=True, of=("self",)).select_related("connection", "contact")
    conversation = current.get(pk=conversation.pk)
    if expected_version is not None and conversation.version != expected_version:
        raise StaleConversation(
            _("Somebody wrote here meanwhile. Look again, then send."), version=conversation.version
        )
    message = Message(
        contact=conversation.contact,
        connection=conversation.connection,
        author=user,
        purpose=REPLY_PURPOSE,
        answers=_latest_mo(conversation),
        timeline_at=now,
        **fields,
    )
    prepared, verdict = singles.decide(message, now)
    if verdict.lane is Lane.SKIPPED:
        raise refusal(message, prepared, verdict)
    message.save()
    Conversation.objects.filter(pk=conversation.pk).update(
        version=F("version") + 1, last_message_at=now, unread=0, owner=conversation.owner_id or user.pk
    )
    return message


def _latest_mo(conversation: Conversation) -> Message | None:
    """What the reply answers: an opt-out that is older than it does not stop the reply."""
    return mos_of(conversation.contact_id, conversation.connection_id).first()


def add_note(
    *, contact: Contact, conversation: Conversation | None, user: User, text: str, now: datetime
) -> ConversationEvent:
    """A note for staff in the person's timeline; it never leaves the house. Raises Incomplete."""
    text = normalize_body(storable(text)).strip()
    if not text:
        raise Incomplete(_("Write a note first."))
    return ConversationEvent.objects.create(
        contact=contact,
        conversation=conversation,
        kind=ConversationEvent.Kind.NOTE,
        text=text,
        actor=user,
        at=now,
    )


@transaction.atomic
def assign(*, conversation: Conversation, owner: User | None, user: User, now: datetime) -> None:
    """Give the conversation to somebody, or to nobody."""
    changed = Conversation.objects.filter(pk=conversation.pk).exclude(owner=owner).update(owner=owner)
    if changed:
        ConversationEvent.objects.create(
            contact_id=conversation.contact_id,
            conversation=conversation,
            kind=ConversationEvent.Kind.ASSIGNED,
            text=staff_name(owner),
            actor=user,
            at=now,
        )


def nothing_to_answer(*, conversation: Conversation, unread: int) -> None:
    """It waits for us no longer, though nobody answered; no new version, for nothing was said.

    `unread` is what whoever decided has seen: raises StaleConversation if there is more by now.
    """
    seen = Conversation.objects.filter(pk=conversation.pk, unread__lte=unread)
    if not seen.update(unread=0):
        raise StaleConversation(_("They wrote again meanwhile. Look again."), version=conversation.version)

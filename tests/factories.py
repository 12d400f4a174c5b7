"""Rows for tests, each right in itself; a call states only what the test is about."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from django.contrib.auth.models import Group, User

from contacts.addresses import address_hmac
from contacts.models import Contact, ContactList, ListMembership
from messaging import campaigns, planning
from messaging.approval import approve_campaign
from messaging.clock import db_now
from messaging.models import (
    Campaign,
    Connection,
    ConnectionPace,
    Conversation,
    HookToken,
    InboundRaw,
    Message,
    Outcome,
    ProviderRequest,
    RequestRecipient,
    ResolvedBy,
    Template,
    TemplateVersion,
)
from messaging.policy import Lane
from messaging.roles import ROLES, sync_roles
from messaging.statuses import Channel, SendState
from messaging.text import body_sha256

_numbers = count(1)

SEND_STATE_AFTER = {
    Outcome.IN_FLIGHT: SendState.SENDING,
    Outcome.ACCEPTED: SendState.ACCEPTED,
    Outcome.REFUSED: SendState.REFUSED,
    Outcome.NOT_SENT: SendState.QUEUED,
    Outcome.UNKNOWN: SendState.UNKNOWN,
}


def new_msisdn() -> str:
    """A Malaysian mobile number that no other call returned."""
    return f"6012{3_000_000 + next(_numbers)}"


def make_user(name: str = "", role: str = "") -> User:
    """A user in the group of that role (roles.py), or with no rights at all."""
    user = User.objects.create_user(name or f"user{next(_numbers)}", password=None)
    if role:
        assert role in ROLES
        if not Group.objects.filter(name=role).exists():  # a test that empties all tables took the groups along
            sync_roles()
        user.groups.add(Group.objects.get(name=role))
    return user


def make_connection(**fields: Any) -> Connection:
    """A sandbox connection that may send, with its pace row and no hook token."""
    defaults = {
        "name": f"Connection {next(_numbers)}",
        "kind": Connection.Kind.SANDBOX,
        "base_url": "http://127.0.0.1:9",  # nobody listens there
        "app_key": "key",
        "app_secret": "secret",
    }
    connection = Connection.objects.create(**defaults | fields)
    ConnectionPace.objects.create(connection=connection, next_at=db_now())
    return connection


def make_hook_token(connection: Connection) -> str:
    token = secrets.token_urlsafe(16)
    HookToken.objects.create(connection=connection, digest=hashlib.sha256(token.encode()).digest())
    return token


def make_contact(msisdn: str | None = None, **fields: Any) -> Contact:
    if msisdn is None and "wa_id" not in fields:
        msisdn = new_msisdn()
    return Contact.objects.create(msisdn=msisdn, **fields)


def make_list(contacts: Iterable[Contact] = (), name: str = "") -> ContactList:
    contact_list = ContactList.objects.create(name=name or f"List {next(_numbers)}")
    ListMembership.objects.bulk_create(
        ListMembership(contact_list=contact_list, contact=contact) for contact in contacts
    )
    return contact_list


def make_version(body: str = "Hello {{name}}", **fields: Any) -> TemplateVersion:
    """A version in review, written and submitted by somebody."""
    author = fields.pop("author", None) or make_user()
    template = Template.objects.create(name=f"Template {next(_numbers)}", body=body, editor_ids=[author.pk])
    defaults = {
        "number": 1,
        "language": template.language,
        "purpose": template.purpose,
        "sha256": body_sha256(body),
        "editor_ids": [author.pk],
        "submitted_by": author,
        "submitted_at": db_now(),
    }
    return TemplateVersion.objects.create(template=template, body=body, **defaults | fields)


def make_approved_version(body: str = "Hello {{name}}", **fields: Any) -> TemplateVersion:
    """A version that a second user approved."""
    version = make_version(body, **fields)
    version.state, version.approved_by, version.decided_at = TemplateVersion.State.APPROVED, make_user(), db_now()
    version.save()
    return version


def make_conversation(contact: Contact, connection: Connection, **fields: Any) -> Conversation:
    """A WhatsApp conversation; `last_mo_at` is when its window opened, if it did."""
    defaults = {"channel": Channel.WHATSAPP, "last_message_at": fields.get("last_mo_at") or db_now()}
    return Conversation.objects.create(contact=contact, connection=connection, **defaults | fields)


def make_mt(*, connection: Connection | None = None, contact: Contact | None = None, **fields: Any) -> Message:
    """A queued single MT of free WhatsApp text that is due; `send_state` and the rest as told."""
    now = db_now()
    defaults: dict[str, Any] = {
        "send_state": SendState.QUEUED,
        "channel": Channel.WHATSAPP,
        "body": "Hello",
        "lane": Lane.SESSION,
        "due_at": now,
        "timeline_at": now,
    }
    if fields.get("send_state") in (SendState.CLAIMED, SendState.SENDING):
        defaults |= {"claim_token": uuid4(), "lease_until": now + timedelta(seconds=30)}
    return Message.objects.create(
        connection=connection or make_connection(), contact=contact or make_contact(), **defaults | fields
    )


def make_mo(*, connection: Connection, contact: Contact, **fields: Any) -> Message:
    """An MO as ingest writes it, without its window: see make_conversation."""
    defaults: dict[str, Any] = {
        "direction": Message.Direction.MO,
        "send_state": SendState.ACCEPTED,
        "channel": Channel.WHATSAPP,
        "body": "Hi",
        "timeline_at": db_now(),
    }
    return Message.objects.create(connection=connection, contact=contact, **defaults | fields)


def make_request(messages: Sequence[Message], *, ref: str = "", **fields: Any) -> ProviderRequest:
    """One request of these MTs, in their order; with a ref it is accepted, else as `outcome` says (unknown).

    The MTs' send_state follows the outcome.
    """
    outcome = fields.pop("outcome", Outcome.ACCEPTED if ref else Outcome.UNKNOWN)
    resolved_by = ResolvedBy.RESPONSE if outcome == Outcome.ACCEPTED else ""
    started_at = fields.pop("started_at", None) or db_now()
    defaults = {
        "token": uuid4(),
        "channel": messages[0].channel,
        "lane": messages[0].lane,
        "text": messages[0].body,
        "deadline": started_at + timedelta(seconds=40),
    }
    request = ProviderRequest.objects.create(
        connection=messages[0].connection,
        ref=ref,
        outcome=outcome,
        resolved_by=resolved_by,
        started_at=started_at,
        **defaults | fields,
    )
    RequestRecipient.objects.bulk_create(
        RequestRecipient(
            request=request,
            message=message,
            position=position,
            address_hmac=address_hmac(message.contact.address),
            outcome=outcome,
            resolved_by=resolved_by,
        )
        for position, message in enumerate(messages)
    )
    for message in messages:
        _follow(message, outcome, started_at, request.code)
    return request


def _follow(message: Message, outcome: str, at: datetime, code: str) -> None:
    """What recording that outcome does to the message."""
    message.send_state = SEND_STATE_AFTER[Outcome(outcome)]
    message.accepted_at = at if outcome == Outcome.ACCEPTED else None
    if outcome == Outcome.REFUSED:
        message.error_code = code
    if outcome == Outcome.IN_FLIGHT:
        message.claim_token, message.lease_until = uuid4(), at + timedelta(seconds=45)
    message.save()


def make_raw(connection: Connection, kind: str, body: bytes = b"", **fields: Any) -> InboundRaw:
    """A call that the door kept and nobody has read yet; `received_at` as told, or now."""
    return InboundRaw.objects.create(connection=connection, kind=kind, body=body, **{"method": "POST"} | fields)


def make_draft(
    connection: Connection, lists: Iterable[ContactList], *, user: User | None = None, **fields: Any
) -> Campaign:
    """A draft campaign with a session text and a template for the people of these lists."""
    user = user or make_user()
    texts = {"session_text": "Hi {{name}}", "template_version": make_approved_version("Dear {{name}}")} | fields
    campaign = campaigns.create_campaign(
        user=user, now=db_now(), name=f"Campaign {next(_numbers)}", connection=connection, **texts
    )
    return campaigns.edit_campaign(campaign=campaign, user=user, version=0, now=db_now(), include=lists)


def make_approved_campaign(connection: Connection, contacts: Iterable[Contact], **fields: Any) -> Campaign:
    """A campaign for these people, planned and approved by a second user."""
    campaign = make_draft(connection, [make_list(contacts)], **fields)
    campaigns.submit_campaign(campaign=campaign, user=make_user(), now=db_now())
    planning.materialise(campaign.pk, db_now())
    campaign.refresh_from_db()
    return approve_campaign(campaign=campaign, user=make_user(), plan_hash=campaign.plan_hash, now=db_now())


def make_running_campaign(connection: Connection, contacts: Iterable[Contact], **fields: Any) -> Campaign:
    """A campaign that has been launched and started: its rows are queued, held or skipped."""
    campaign = make_approved_campaign(connection, contacts, **fields)
    campaigns.launch_campaign(campaign=campaign, user=make_user(), now=db_now())
    campaigns.start_due(db_now())
    campaign.refresh_from_db()
    return campaign

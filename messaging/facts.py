"""What the rule looks at, read from the database for many messages at once, and their texts with the values put in."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from django.db import connection as database

from contacts.models import ALL, ConsentEvent, Purpose
from messaging import text
from messaging.models import Campaign, Connection, Message, TemplateVersion
from messaging.policy import SENDING_LANES, Facts, Lane, QuietHours, Reason, Verdict, decide
from messaging.statuses import Channel

CAP_PERIOD = timedelta(hours=24)
BAD = {  # by the marks of a person's number for WhatsApp and SMS
    (False, False): frozenset[Channel](),
    (True, False): frozenset({Channel.WHATSAPP}),
    (False, True): frozenset({Channel.SMS}),
    (True, True): frozenset(Channel),
}

PEOPLE_SQL = """
SELECT c.id, c.public_id, c.msisdn, c.name, c.fields, c.address_hmac, c.erased_at IS NOT NULL,
       c.whatsapp_bad_at IS NOT NULL, c.sms_bad_at IS NOT NULL, w.last_mo_at,
       (SELECT json_agg(json_build_array(s.channel, s.purpose, s.since)) FROM contacts_suppression s
        WHERE s.address_hmac = c.address_hmac)
FROM contacts_contact c
LEFT JOIN messaging_conversation w
       ON w.contact_id = c.id AND w.connection_id = %s AND w.channel = 'whatsapp'
WHERE c.id = ANY (%s)
"""
SENT_LATELY_SQL = """
SELECT contact_id, count(*) FROM messaging_message
WHERE contact_id = ANY (%s) AND connection_id = %s AND direction = 'mt' AND timeline_at > %s
  AND send_state IN ('sending', 'accepted', 'unknown')
GROUP BY contact_id
"""


@dataclass(frozen=True, slots=True)
class Person:
    """One contact as the rule and the texts see them."""

    id: int
    public_id: str
    msisdn: str | None
    name: str
    fields: Mapping[str, Any]
    address_hmac: bytes | None
    erased: bool
    bad: frozenset[Channel]
    last_mo_at: datetime | None
    suppressions: Sequence[tuple[str, str, str]]  # channel, purpose, since when (ISO 8601)

    @property
    def values(self) -> dict[str, str]:
        return placeholder_values(self.fields, self.name, self.msisdn)


class Intended(Protocol):
    """What is asked of an MT: a Message row, or the few columns of it that the gate reads."""

    contact_id: int
    campaign_id: int | None
    test_of_id: int | None
    template_version_id: int | None
    answers_id: int | None
    purpose: str
    body: str
    variables: dict[str, str]
    channel: str
    until_reply: bool
    not_after: datetime | None
    connection: Connection
    campaign: Campaign | None
    test_of: Campaign | None
    template_version: TemplateVersion | None
    answers: Message | None


@dataclass(frozen=True, slots=True)
class Bodies:
    """The texts that a message could leave with, one for each lane, placeholders not yet filled."""

    of: Mapping[Lane, str]
    template_problem: str | None = None  # why its template may not be used at all

    @classmethod
    def of_campaign(cls, campaign: Campaign) -> Bodies:
        version = campaign.template_version
        return cls._build(campaign.session_text, version, campaign.sms_text, campaign.purpose, campaign.connection)

    @classmethod
    def of_message(cls, message: Intended) -> Bodies:
        """The texts of a message on its own: its campaign's, its template's, or its body for its channel's lane."""
        campaign = message.campaign or message.test_of
        if campaign:
            return cls.of_campaign(campaign)
        session = message.body if message.channel == Channel.WHATSAPP and not message.template_version_id else ""
        sms = message.body if message.channel == Channel.SMS else ""
        return cls._build(session, message.template_version, sms, message.purpose, message.connection)

    @classmethod
    def _build(
        cls, session: str, version: TemplateVersion | None, sms: str, purpose: str, connection: Connection
    ) -> Bodies:
        bodies = {Lane.SESSION: session, Lane.TEMPLATE: version.body if version else "", Lane.SMS: sms}
        problem = version and template_problem(version, purpose, connection)
        return cls({lane: body for lane, body in bodies.items() if body}, problem or None)


def template_problem(version: TemplateVersion, purpose: str, connection: Connection) -> str | None:
    """Why a version may not be used for this purpose on this connection, or None."""
    if version.state != TemplateVersion.State.APPROVED:
        return Reason.TEMPLATE_NOT_APPROVED
    if purpose == Purpose.MARKETING and not connection.marketing_in_templates:
        return Reason.MARKETING_IN_TEMPLATE  # Bulk360 WhatsApp API V3.0: templates "can not be used for marketing"
    return None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A message's facts and its rendered text in each lane that renders."""

    person: Person
    facts: Facts
    texts: Mapping[Lane, str]
    room: int | None = None  # messages that the person's daily cap leaves; None: the cap does not concern this one

    def decide(self, now: datetime, *, taken: int = 0) -> Verdict:
        """The verdict at `now`, after `taken` other messages of the same batch to the same person."""
        capped = self.room is not None and taken >= self.room
        return decide(replace(self.facts, capped=True) if capped else self.facts, now)


def placeholder_values(fields: Mapping[str, Any], name: str, msisdn: str | None) -> dict[str, str]:
    """What placeholders stand for. `name` and `msisdn` are built in; a blank is an absent key."""
    return {key: _spelled(value) for key, value in fields.items()} | {"name": name, "msisdn": msisdn or ""}


def _spelled(value: Any) -> str:
    """A JSON value as PostgreSQL's ->> spells it; null is a blank."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def load_people(contact_ids: Collection[int], connection_id: int) -> dict[int, Person]:
    """Contacts with their window on this connection, in one statement."""
    with database.cursor() as cursor:
        cursor.execute(PEOPLE_SQL, [connection_id, list(contact_ids)])
        return {row[0]: _person(row) for row in cursor.fetchall()}


def _person(row: Sequence[Any]) -> Person:
    id_, public_id, msisdn, name, fields, hmac, erased, whatsapp_bad, sms_bad, last_mo_at, suppressions = row
    bad = BAD[whatsapp_bad, sms_bad]
    fields = json.loads(fields) if isinstance(fields, str) else fields
    hmac = hmac and bytes(hmac)
    return Person(id_, str(public_id), msisdn, name, fields, hmac, erased, bad, last_mo_at, suppressions or ())


def render_lanes(bodies: Bodies, values: Mapping[str, str]) -> tuple[dict[Lane, str], dict[Lane, str | None]]:
    """The texts that render, and for every lane with a text None or why it cannot be used."""
    texts: dict[Lane, str] = {}
    problems: dict[Lane, str | None] = {}
    for lane in SENDING_LANES:
        if lane not in bodies.of:
            continue
        try:
            texts[lane] = text.render(bodies.of[lane], values)
            problems[lane] = None
        except text.MissingVariable as error:
            problems[lane] = f"{Reason.MISSING_VARIABLE}:{error.name}"
        except text.UnfitVariable as error:
            problems[lane] = f"{Reason.UNFIT_VARIABLE}:{error.name}"
        if lane is Lane.TEMPLATE and bodies.template_problem:
            problems[lane] = bodies.template_problem
    return texts, problems


def prepare(
    messages: Iterable[Intended], *, connection: Connection, now: datetime, queued: bool
) -> list[Prepared | None]:
    """Facts and texts of MTs on one connection, in their order; None for one whose contact is unknown.

    `queued` says whether the messages were queued before: past their not_after those expire, others are skipped. Their
    campaign, template version and connection should be loaded already (select_related).
    """
    messages = list(messages)
    people = load_people({message.contact_id for message in messages}, connection.pk)
    margin = timedelta(seconds=connection.window_margin_s)
    cap = _Cap(people, connection, now)
    opted_in = _opted_in(people, messages, connection)
    bodies: dict[int, Bodies | None] = {
        message.campaign_id or message.test_of_id or -index: None for index, message in enumerate(messages, 1)
    }
    prepared: list[Prepared | None] = []
    for index, message in enumerate(messages, 1):
        person = people.get(message.contact_id)
        if person is None:
            prepared.append(None)
            continue
        key = message.campaign_id or message.test_of_id or -index
        body = bodies[key] = bodies[key] or Bodies.of_message(message)
        texts, problems = render_lanes(body, person.values | message.variables)
        facts = Facts(
            texts=problems,
            erased=person.erased,
            has_number=person.msisdn is not None,
            opted_out=_opted_out(person.suppressions, message.purpose),
            consent_missing=message.purpose == Purpose.MARKETING and person.id not in opted_in,
            bad=person.bad,
            last_mo_at=person.last_mo_at,
            margin=margin,
            answers_mo_at=message.answers.timeline_at if message.answers else None,
            confirms_opt_out=message.purpose == Purpose.OPT_OUT_CONFIRMATION,
            until_reply=message.until_reply,
            not_after=message.not_after,
            queued=queued,
            quiet=quiet_hours(message.campaign),
        )
        prepared.append(Prepared(person, facts, texts, cap.room(message)))
    return prepared


def quiet_hours(campaign: Campaign | None) -> QuietHours | None:
    """A campaign's quiet hours as the rule wants them."""
    if campaign is None or campaign.quiet_from is None or campaign.quiet_to is None:
        return None
    return QuietHours(campaign.quiet_from, campaign.quiet_to, ZoneInfo(campaign.time_zone))


def _opted_out(suppressions: Iterable[tuple[str, str, str]], purpose: str) -> dict[Channel, datetime]:
    """Since when each channel is shut for this purpose; the latest of several counts."""
    shut: dict[Channel, datetime] = {}
    for scope, of_purpose, since in suppressions:
        if of_purpose in (ALL, purpose):
            at = datetime.fromisoformat(since)
            shut |= {channel: max(at, shut.get(channel, at)) for channel in Channel if scope in (ALL, channel)}
    return shut


def _opted_in(people: Mapping[int, Person], messages: Iterable[Intended], connection: Connection) -> Collection[int]:
    """Who agreed to marketing, where the connection asks for that; else everybody."""
    if not connection.marketing_needs_opt_in or all(m.purpose != Purpose.MARKETING for m in messages):
        return people.keys()
    agreed = ConsentEvent.objects.filter(
        contact__in=people, direction=ConsentEvent.Direction.IN, purpose__in=[ALL, Purpose.MARKETING]
    )
    return set(agreed.values_list("contact_id", flat=True))


class _Cap:
    """How many more messages each person may get on the connection within 24 hours."""

    def __init__(self, people: Mapping[int, Person], connection: Connection, now: datetime) -> None:
        self.limit = connection.daily_cap
        self.sent: Counter[int] = Counter()
        if self.limit is not None:
            with database.cursor() as cursor:
                cursor.execute(SENT_LATELY_SQL, [list(people), connection.pk, now - CAP_PERIOD])
                self.sent.update(dict(cursor.fetchall()))

    def room(self, message: Intended) -> int | None:
        """What is left for the person; None for answers and opt-out confirmations, which no cap stops."""
        if self.limit is None or message.answers_id or message.purpose == Purpose.OPT_OUT_CONFIRMATION:
            return None
        return self.limit - self.sent[message.contact_id]

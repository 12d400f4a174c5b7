"""Everything the rule is asked with, read for many messages at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from contacts.models import Purpose
from messaging.facts.bodies import Bodies, render_lanes
from messaging.facts.cap import Cap
from messaging.facts.consents import opted_in, opted_out
from messaging.facts.intended import Intended
from messaging.facts.people import Person, load_people
from messaging.facts.tries import reached
from messaging.models import Campaign, Connection
from messaging.policy import Facts, Lane, QuietHours, Verdict, decide


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
    cap = Cap(people, connection, now)
    agreed = opted_in(people, messages, connection)
    spared = reached(people, messages)
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
            opted_out=opted_out(person.suppressions, message.purpose),
            consent_missing=message.purpose == Purpose.MARKETING and person.id not in agreed,
            bad=person.bad,
            reached=(message.campaign_id, person.id) in spared,
            last_mo_at=person.last_mo_at,
            margin=margin,
            window_waived=message.window_waived,
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

"""The plan person by person, with the text that each would get."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from contacts.models import Contact
from messaging import text
from messaging.facts import Prepared, prepare
from messaging.models import Campaign, Message
from messaging.policy import Lane
from messaging.statuses import Channel


@dataclass(frozen=True, slots=True)
class PlanRow:
    """One person's line of the plan: the verdict, and the text that they would get ("" if none)."""

    contact: Contact
    lane: str
    reason: str
    text: str
    parts: int  # of the SMS; 0 for what goes by WhatsApp
    until: datetime | None = None
    window_ends_at: datetime | None = None


def preview(*, campaign: Campaign, contact: Contact, at: datetime) -> PlanRow:
    """One person's line of the plan at `at`, with the text rendered, whether or not they are in the audience."""
    return plan_rows(campaign, [contact], at)[0]


def plan_rows(campaign: Campaign, contacts: list[Contact], at: datetime) -> list[PlanRow]:
    """Lines of the plan for these people, decided now by the rule itself."""
    messages = [intended(campaign, contact) for contact in contacts]
    prepared = prepare(messages, connection=campaign.connection, now=at, queued=False)
    return [_plan_row(contact, one, at) for contact, one in zip(contacts, prepared, strict=True) if one]


def intended(campaign: Campaign, contact: Contact) -> Message:
    """The message that a campaign means for one person, unsaved."""
    return Message(
        campaign=campaign,
        contact=contact,
        connection=campaign.connection,
        purpose=campaign.purpose,
        not_after=campaign.not_after,
        until_reply=campaign.until_reply,
    )


def _plan_row(contact: Contact, one: Prepared, at: datetime) -> PlanRow:
    verdict = one.decide(at)
    lane = verdict.lane if verdict.sends else next(iter(one.texts), None)
    words = one.texts.get(lane, "") if lane and verdict.lane is not Lane.SKIPPED else ""
    return PlanRow(
        contact,
        verdict.lane,
        verdict.reason,
        words,
        parts_if_sms(lane, words, contact.msisdn),
        verdict.until,
        verdict.window_ends_at,
    )


def sms_parts(lane: Lane | None, words: str, msisdn: str | None) -> int:
    """Parts of an SMS with the platform's prefix; a WhatsApp message is one."""
    if not words:
        return 0
    return text.sms_parts(words, text.sms_prefix_len(msisdn or "")).parts if lane and lane.channel == Channel.SMS else 1


def parts_if_sms(lane: Lane | None, words: str, msisdn: str | None) -> int:
    """Parts of a text that goes by SMS; 0 for one that does not."""
    return sms_parts(lane, words, msisdn) if lane and lane.channel == Channel.SMS else 0

"""The texts that a message could leave with, and what they become once the values are in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from contacts.models import Purpose
from messaging import text
from messaging.facts.intended import Intended
from messaging.models import Campaign, Connection, TemplateVersion
from messaging.policy import SENDING_LANES, Lane, Reason
from messaging.statuses import Channel


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
        """The texts of a message on its own: its campaign's, or its body for its channel's lane and its template's."""
        campaign = message.campaign or message.test_of
        if campaign:
            return cls.of_campaign(campaign)
        session = message.body if message.channel == Channel.WHATSAPP else ""
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

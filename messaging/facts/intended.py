"""What the rule is asked about."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from messaging.models import Campaign, Connection, Message, TemplateVersion


class Intended(Protocol):
    """An MT: a Message row, or the few columns of it that the gate reads."""

    contact_id: int
    campaign_id: int | None
    test_of_id: int | None
    template_version_id: int | None
    answers_id: int | None
    purpose: str
    body: str
    variables: dict[str, str]
    channel: str
    window_waived: bool
    until_reply: bool
    not_after: datetime | None
    connection: Connection
    campaign: Campaign | None
    test_of: Campaign | None
    template_version: TemplateVersion | None
    answers: Message | None

"""A campaign's life: written, submitted, launched, started chunk by chunk, paused, resumed, cancelled, finished."""

from messaging.campaigns.acts import (
    NOTE_LIMIT,
    add_note,
    back_to_draft,
    cancel_campaign,
    launch_campaign,
    pause_campaign,
    resume_campaign,
    submit_campaign,
    withdraw_campaign,
)
from messaging.campaigns.cloning import clone_campaign
from messaging.campaigns.drafts import UNIT_SEPARATOR, create_campaign, edit_campaign, returned_to
from messaging.campaigns.ending import cancel_rows, finish_done
from messaging.campaigns.problems import is_zone, problems
from messaging.campaigns.retrying import NobodyToRetry, left_by_to_do, other_tries, retry_campaign
from messaging.campaigns.row import lock
from messaging.campaigns.starting import start, start_chunk, start_due
from messaging.campaigns.trial import TESTABLE, UnsendableTest, send_test

__all__ = [
    "NOTE_LIMIT",
    "TESTABLE",
    "UNIT_SEPARATOR",
    "NobodyToRetry",
    "UnsendableTest",
    "add_note",
    "back_to_draft",
    "cancel_campaign",
    "cancel_rows",
    "clone_campaign",
    "create_campaign",
    "edit_campaign",
    "finish_done",
    "is_zone",
    "launch_campaign",
    "left_by_to_do",
    "lock",
    "other_tries",
    "pause_campaign",
    "problems",
    "resume_campaign",
    "retry_campaign",
    "returned_to",
    "send_test",
    "start",
    "start_chunk",
    "start_due",
    "submit_campaign",
    "withdraw_campaign",
]

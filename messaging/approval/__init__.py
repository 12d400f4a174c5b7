"""Two people for every text that leaves: one writes it, another approves it. The database holds it too."""

from messaging.approval.campaigns import approve_campaign, return_campaign
from messaging.approval.people import approvers
from messaging.approval.provider import (
    ask_provider_again,
    confirm_at_provider,
    post_sandbox_templates,
)
from messaging.approval.templates import (
    approve_version,
    campaigns_using,
    retire_template,
    return_version,
    save_template,
    submit_template,
)
from messaging.approval.texts import Unfit, body_problems, sample_problems, unfit_samples

__all__ = [
    "Unfit",
    "approve_campaign",
    "approve_version",
    "approvers",
    "ask_provider_again",
    "body_problems",
    "campaigns_using",
    "confirm_at_provider",
    "post_sandbox_templates",
    "retire_template",
    "return_campaign",
    "return_version",
    "sample_problems",
    "save_template",
    "submit_template",
    "unfit_samples",
]

"""The campaign's row: held while it changes, and refused where its state does not allow that."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from messaging import planning
from messaging.errors import Stale, WrongState
from messaging.models import Campaign

State = Campaign.State


def lock(campaign: Campaign) -> Campaign:
    """The campaign as it is now, its row held until the transaction ends."""
    return planning.lock_row(campaign.pk)


def require(campaign: Campaign, *states: str) -> None:
    if campaign.state not in states:
        raise WrongState(
            _("This campaign is %(state)s; that is not possible now.") % {"state": campaign.get_state_display().lower()}
        )


def refuse_older(campaign: Campaign, version: int) -> None:
    """Raises Stale if somebody saved the draft after `version` was read."""
    if campaign.version != version:
        raise Stale(_("Somebody else saved this campaign meanwhile. Your text is below; compare before saving again."))

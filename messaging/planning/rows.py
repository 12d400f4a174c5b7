"""The campaign's row, and how much of its plan one transaction touches."""

from messaging.models import Campaign

CHUNK = 5_000  # rows a transaction touches at most (design: lock order and short transactions)


def lock_row(campaign_id: int) -> Campaign:
    """The campaign as it is now, its row held until the transaction ends."""
    return (
        Campaign.objects.select_for_update(of=("self",), no_key=True)
        .select_related("connection", "template_version__template")
        .get(pk=campaign_id)
    )

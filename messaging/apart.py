"""One campaign's trouble is its own: what is done for many goes on with the next."""

from collections.abc import Callable, Iterable

import structlog

log = structlog.get_logger()


def each_apart(campaign_ids: Iterable[int], act: Callable[[int], int], *, step: str) -> int:
    """Act on each campaign; the sum of what the acts return. One that raises is logged and left as it was."""
    total = 0
    for campaign_id in campaign_ids:
        try:
            total += act(campaign_id)
        except Exception:  # whatever it is, the others do not wait for it
            log.exception("campaign.failed", campaign=campaign_id, step=step)
    return total

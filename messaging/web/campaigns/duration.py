"""How long a campaign takes to leave at its connection's rate, in a sentence."""

from datetime import datetime, timedelta
from math import ceil
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from messaging.facts import quiet_hours
from messaging.models import Campaign
from messaging.planning import LaneCount, quiet_verdict
from messaging.policy import SENDING_LANES, Reason
from messaging.web.frame import words


def duration_words(campaign: Campaign, counts: list[LaneCount], at: datetime) -> str:
    """“2,288 messages at 20 a second: about 2 minutes, ends about 09:02.” And what would cut it short."""
    leaving = sum(one.people for one in counts if one.lane in SENDING_LANES or one.reason == Reason.QUIET_HOURS)
    if not leaving:
        return _("Nothing would leave then.")
    hold = quiet_verdict(campaign, at)
    start = (hold and hold.until) or at
    rate = campaign.connection.rate_per_s
    ends = start + timedelta(seconds=ceil(leaving / rate))
    told = _("%(messages)s at %(rate)s a second: %(time)s, ends about %(end)s.") % {
        "messages": words.messages(leaving),
        "rate": f"{rate:,}",
        "time": _about(ends - start),
        "end": on_its_clock(campaign, ends, at),
    }
    if hold:
        told = f"{_('Quiet hours hold it until %s.') % on_its_clock(campaign, start, at)} {told}"
    return " ".join([told, *_cut_short(campaign, start, ends)])


def _about(span: timedelta) -> str:
    seconds = span.total_seconds()
    if seconds < 45:
        return _("less than a minute")
    minutes = round(seconds / 60) or 1
    if minutes < 60:
        return ngettext("about %s minute", "about %s minutes", minutes) % minutes
    return _("about %s") % words.duration(timedelta(minutes=minutes))


def _cut_short(campaign: Campaign, start: datetime, ends: datetime) -> list[str]:
    found = []
    if (quiet_at := _quiet_from(campaign, start)) and quiet_at < ends:
        found.append(
            _("What has not left by %s waits for the end of quiet hours.") % on_its_clock(campaign, quiet_at, start)
        )
    if campaign.not_after and start < campaign.not_after < ends:
        found.append(_("What has not left by %s is dropped.") % on_its_clock(campaign, campaign.not_after, start))
    return found


def _quiet_from(campaign: Campaign, start: datetime) -> datetime | None:
    """When quiet hours begin next."""
    quiet = quiet_hours(campaign)
    if quiet is None:
        return None
    local = start.astimezone(quiet.zone)
    begins = datetime.combine(local.date(), quiet.start, quiet.zone)
    return begins if begins > start else begins + timedelta(days=1)


def on_its_clock(campaign: Campaign, at: datetime, beside: datetime) -> str:
    """On the campaign's clock, with the day where it is another one."""
    zone = ZoneInfo(campaign.time_zone)
    local = at.astimezone(zone)
    return date_format(local, "H:i" if local.date() == beside.astimezone(zone).date() else "D j M H:i")

"""The five parts of the composer, each with how it stands and its answer in one line."""

from dataclasses import dataclass
from datetime import datetime

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from messaging.models import Campaign
from messaging.planning import AudienceCounts, LaneCount
from messaging.policy import Lane, Reason
from messaging.web.campaigns.checks import Finding
from messaging.web.campaigns.figures import to_leave
from messaging.web.campaigns.filters import reason_code
from messaging.web.campaigns.forecast import Forecast
from messaging.web.frame import words

# Another text would reach them, or a value filled in.
WITHOUT_A_WAY = {
    Reason.WINDOW_CLOSED, Reason.NO_TEXT, Reason.TEMPLATE_NOT_APPROVED, Reason.MARKETING_IN_TEMPLATE,
    Reason.MISSING_VARIABLE, Reason.UNFIT_VARIABLE,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Anchor:
    """One part of the page: how it stands and its answer in one line."""

    key: str
    label: str
    tone: str
    answer: str


def anchors(
    campaign: Campaign,
    counted: Forecast | None,
    findings: dict[str, list[Finding]],
    problems: list[str],
    now: datetime,
) -> list[Anchor]:
    """The five parts with their one-line answers."""
    lanes = lanes_with_text(campaign)
    late = bool(campaign.not_after and campaign.not_after <= now)
    people, plan = _counted(counted, bool(lanes)) if counted else _uncounted()
    return [
        people,
        Anchor("message", _("Message"), message_tone(lanes, findings), " · ".join(lanes) or _("No text yet")),
        Anchor("time", _("Time"), "bad" if late else "ok", time_answer(campaign, now)),
        plan,
        Anchor(
            "approve",
            _("Approve and send"),
            "quiet" if problems else "info",
            _("Not complete yet") if problems else _("Ask for approval here"),
        ),
    ]


def _counted(counted: Forecast, has_text: bool) -> tuple[Anchor, Anchor]:
    """People and plan, as they were counted."""
    audience, leaving = counted.audience, to_leave(counted.counts)
    nobody = "bad" if audience.listed else "quiet"
    nothing = "bad" if audience.audience and has_text else "quiet"
    mendable = [one for one in counted.counts if one.lane == Lane.SKIPPED and reason_code(one.reason) in WITHOUT_A_WAY]
    reached = "wait" if mendable else "ok"
    return (
        Anchor("people", _("People"), "ok" if audience.audience else nobody, people_answer(audience)),
        Anchor("plan", _("Flight plan"), reached if leaving else nothing, plan_answer(leaving, counted.counts)),
    )


def _uncounted() -> tuple[Anchor, Anchor]:
    counting = _("Counting…")
    return Anchor("people", _("People"), "quiet", counting), Anchor("plan", _("Flight plan"), "quiet", counting)


def message_tone(lanes: list[str], findings: dict[str, list[Finding]]) -> str:
    """Broken beats doubtful beats right; nothing written yet is no mistake."""
    tones = {one.tone for found in findings.values() for one in found}
    if "error" in tones:
        return "bad"
    if not lanes:
        return "quiet"
    return "wait" if "warning" in tones else "ok"


def lanes_with_text(campaign: Campaign) -> list[str]:
    texts = {
        Lane.SESSION: campaign.session_text,
        Lane.TEMPLATE: campaign.template_version_id,
        Lane.SMS: campaign.sms_text,
    }
    return [words.lane_words(lane) for lane, there in texts.items() if there]


def people_answer(audience: AudienceCounts) -> str:
    left_out = [f"{count:,} {why}" for why, count in removed_words(audience)]
    return " · ".join([words.people(audience.audience), *left_out])


def removed_words(audience: AudienceCounts) -> list[tuple[str, int]]:
    return [(str(words.REMOVAL_WORDS[reason]), count) for reason, count in audience.removed_by_reason.items()]


def time_answer(campaign: Campaign, now: datetime) -> str:
    if campaign.not_after and campaign.not_after <= now:
        return _("“Not after” has passed")
    if campaign.send_at and campaign.send_at <= now:
        return _("The time has passed: leaves at once")
    return words.moment(campaign.send_at) if campaign.send_at else _("As soon as it is started")


def plan_answer(leaving: int, counts: list[LaneCount]) -> str:
    """“1 message leaves · 22 held back · 3 skipped”; those held back are in `leaving`, and said for themselves."""
    held, skipped = (sum(one.people for one in counts if one.lane == lane) for lane in (Lane.HELD, Lane.SKIPPED))
    at_once = leaving - held
    told = [ngettext("%s message leaves", "%s messages leave", at_once) % f"{at_once:,}"] if at_once or not held else []
    told += [_("%s held back") % f"{held:,}"] if held else []
    return " · ".join([*told, *([_("%s skipped") % f"{skipped:,}"] if skipped else [])])

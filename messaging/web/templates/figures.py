"""What the template pages say about a text: its two badges, its parts as SMS, its problems, its story."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.models import Purpose
from messaging import matcher
from messaging.approval import body_problems, sample_problems
from messaging.models import AuditEvent, Connection, ProviderApproval, Template, TemplateVersion
from messaging.staff import staff_name
from messaging.text import (
    PLACEHOLDER,
    RM0_PREFIX_LEN,
    CostlyLetter,
    SmsParts,
    costly_letters,
    is_fit,
    normalize_body,
    placeholders,
    sms_parts,
)
from messaging.web.frame.badges import Badge, badge_of

State = TemplateVersion.State
DRAFT = Badge("quiet", "edit", gettext_lazy("Draft"))
RETIRED = Badge("quiet", "archive", gettext_lazy("Retired"))
NOT_ASKED = Badge("quiet", "clock", gettext_lazy("Not asked yet"))
WORST_FIRST = (ProviderApproval.State.DOUBTED, ProviderApproval.State.PENDING, ProviderApproval.State.APPROVED)
ACTS: Mapping[str, Promise] = {
    "template.saved": gettext_lazy("changed the draft"),
    "template.submitted": gettext_lazy("asked for approval"),
    "template.approved": gettext_lazy("approved it"),
    "template.returned": gettext_lazy("sent it back"),
    "template.retired": gettext_lazy("retired it"),
    "template.confirmed": gettext_lazy("says that the provider approved it"),
    "template.proved": gettext_lazy("The sandbox approved it by itself"),
    "template.doubted": gettext_lazy("The provider refused this text (406): its approval is doubted"),
}


@dataclass(frozen=True)
class Standing:
    """Where a template stands, with us and with the provider."""

    template: Template
    ours: list[Badge]
    provider: Badge
    waiting: TemplateVersion | None  # in review
    approved: TemplateVersion | None  # the newest that may be sent
    latest: TemplateVersion | None


def standing(template: Template) -> Standing:
    """From a template with its versions and their provider_approvals prefetched."""
    versions = sorted(template.versions.all(), key=lambda version: -version.number)
    waiting = next((version for version in versions if version.state == State.IN_REVIEW), None)
    approved = next((version for version in versions if version.state == State.APPROVED), None)
    latest = versions[0] if versions else None
    ours = _ours(template, approved, latest)
    return Standing(template, ours, provider_badge(approved), waiting, approved, latest)


def _ours(template: Template, approved: TemplateVersion | None, latest: TemplateVersion | None) -> list[Badge]:
    """What may be sent, and what became of the newest version if that is another one."""
    if template.retired_at:
        return [RETIRED]
    told = {version.number: version for version in (approved, latest) if version}
    badges = {number: badge_of(version) for number, version in told.items()}
    return [Badge(one.tone, one.icon, f"{one.words} · v{number}") for number, one in badges.items()] or [DRAFT]


def provider_badge(version: TemplateVersion | None) -> Badge:
    """The worst that any connection's provider says; nobody is asked before we have approved."""
    approvals = list(version.provider_approvals.all()) if version else []
    return badge_of(min(approvals, key=lambda one: WORST_FIRST.index(one.state))) if approvals else NOT_ASKED


@dataclass(frozen=True)
class Preview:
    """One text as its writer sees it while typing."""

    body: str
    shown: str  # with the samples put in; a placeholder without one stays
    names: list[str]
    problems: list[str]
    hints: list[str]
    parts: SmsParts
    costly: list[CostlyLetter]

    missing: list[str]  # placeholders that have no sample yet

    @property
    def ready(self) -> bool:
        return bool(self.body) and not self.problems

    @property
    def foot(self) -> str:
        """What stands where the placeholders are."""
        if not self.names:
            return ""
        if len(self.missing) == len(self.names):
            return _("No samples yet")
        return _("With the samples that there are") if self.missing else _("With its samples")


def preview(body: str, samples: Mapping[str, str], purpose: str) -> Preview:
    body = normalize_body(body)
    shown = fill(body, samples)
    problems = body_problems(body) + sample_problems(body, samples) if body else []
    return Preview(
        body,
        shown,
        placeholders(body),
        problems,
        _hints(body, purpose),
        sms_parts(shown, RM0_PREFIX_LEN),
        costly_letters(PLACEHOLDER.sub("", body)),
        [name for name in placeholders(body) if not samples.get(name)],
    )


def fill(body: str, samples: Mapping[str, str]) -> str:
    return PLACEHOLDER.sub(lambda found: samples.get(found[1]) or found[0], body)


def _hints(body: str, purpose: str) -> list[str]:
    """What is allowed, but often refused by the provider."""
    hints = []
    ends = [found.span() for found in PLACEHOLDER.finditer(body)]
    if ends and (ends[0][0] == 0 or ends[-1][1] == len(body)):
        hints.append(_("The text begins or ends with a placeholder: providers often refuse that."))
    if any(before[1] >= after[0] - 1 for before, after in pairwise(ends)):
        hints.append(_("Two placeholders stand side by side: put words between them."))
    if purpose == Purpose.MARKETING:
        hints.append(_("The provider does not allow marketing as a template, unless the connection says so."))
    return hints


@dataclass(frozen=True)
class Check:
    """One thing that a machine looked at before the approver."""

    ok: bool
    words: str


def checks(version: TemplateVersion) -> list[Check]:
    seen = preview(version.body, version.samples, version.purpose)
    rendered = all(is_fit(version.samples.get(name, "")) for name in seen.names)
    return [
        Check(not body_problems(version.body), _("Placeholders are well formed, no hidden letters")),
        Check(rendered, _("Every placeholder has a fitting sample")),
        Check(
            rendered and matcher.match(version.body, seen.shown) is not None, _("The filled text is recognised again")
        ),
        Check(seen.parts.parts <= 1, _sms_size(seen.parts.parts)),
        *[Check(ok=False, words=hint) for hint in seen.hints],
    ]


def _sms_size(parts: int) -> str:
    return _("Would fit into one SMS part") if parts <= 1 else _("Would take %s SMS parts") % parts


@dataclass(frozen=True)
class Act:
    """One line of a template's story."""

    who: str
    words: object
    at: datetime
    number: int | None
    connection: str  # whose provider did it
    quote: str


def story(events: Iterable[AuditEvent]) -> list[Act]:
    """Newest first; of changes that one person made one after another only the last is told."""
    told: list[AuditEvent] = []
    for event in events:
        if told and _tells_the_same(event, told[-1]):
            told.pop()
        told.append(event)
    return [_act(event) for event in reversed(told)]


def _tells_the_same(event: AuditEvent, before: AuditEvent) -> bool:
    return event.act == before.act == "template.saved" and event.actor_id == before.actor_id


def _act(event: AuditEvent) -> Act:
    detail: dict[str, Any] = event.detail
    quote = detail.get("reason") or detail.get("evidence") or ""
    words, place = ACTS.get(event.act, event.act), detail.get("connection", "")
    return Act(staff_name(event.actor), words, event.at, detail.get("version"), place, quote)


def approved_words(version: TemplateVersion) -> str:
    """What we say to whoever has just approved it: it leaves only once the provider approved it, too."""
    waiting = version.provider_approvals.filter(state=ProviderApproval.State.PENDING).select_related("connection")
    places = sorted({one.connection.name for one in waiting if one.connection.kind != Connection.Kind.SANDBOX})
    if places:
        words = _("Approved: “%(text)s”. It may not be sent yet: the provider's own approval is missing (%(places)s).")
        return words % {"text": version, "places": ", ".join(places)}
    if waiting:
        return _("Approved: “%s”. It may be sent once the sandbox has approved it, too: that takes seconds.") % version
    return _("Approved: “%s”. It may be sent once there is a connection whose provider approved it, too.") % version


def samples_of(posted: Mapping[str, str], names: Sequence[str]) -> dict[str, str]:
    return {name: posted.get(f"sample_{name}", "") for name in names}

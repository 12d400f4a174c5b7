"""The approvers' side of templates: the queue and the decision."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from messaging import approval
from messaging.approval.people import wrote
from messaging.clock import db_now
from messaging.models import Campaign, Connection, TemplateVersion
from messaging.web.frame.answers import ask, attempt, attempt_form, go, posted
from messaging.web.frame.decorators import StaffRequest, staff_required
from messaging.web.frame.parts import Sheet
from messaging.web.templates.figures import approved_words, checks, preview
from messaging.web.templates.forms import EvidenceForm, ReasonForm
from messaging.web.templates.worddiff import word_diff

State = TemplateVersion.State
QUEUE = 200


@dataclass(frozen=True)
class Waiting:
    """One version in the queue."""

    version: TemplateVersion
    mine: bool  # this user may decide
    before: TemplateVersion | None  # the last approved version of the same template
    campaigns: int
    problems: int


@staff_required("messaging.view_template")
def review_queue(request: StaffRequest) -> HttpResponse:
    versions = TemplateVersion.objects.filter(state=State.IN_REVIEW).select_related("template", "submitted_by")
    rows = _waiting(request, list(versions.order_by("submitted_at", "pk")[:QUEUE]))
    only_mine = request.GET.get("mine") == "1"
    shown = [row for row in rows if row.mine or not only_mine]
    return render(request, "messaging/review_queue.html", {"rows": shown, "only_mine": only_mine, "all": len(rows)})


def _waiting(request: StaffRequest, versions: Sequence[TemplateVersion]) -> list[Waiting]:
    templates = [version.template_id for version in versions]
    over = [Campaign.State.FINISHED, Campaign.State.CANCELLED]
    users = Campaign.objects.filter(template_version__template__in=templates).exclude(state__in=over)
    used = list(users.values_list("template_version__template", flat=True))
    approved = TemplateVersion.objects.filter(template__in=templates, state=State.APPROVED).order_by("number")
    before = {version.template_id: version for version in approved}
    decides = request.user.has_perm("messaging.approve_templateversion")
    return [
        Waiting(
            version,
            decides and not wrote(version, request.user),
            before.get(version.template_id),
            used.count(version.template_id),
            sum(not check.ok for check in checks(version)),
        )
        for version in versions
    ]


@staff_required("messaging.view_template")
def version_review(request: StaffRequest, public_id: str) -> HttpResponse:
    version = _get(public_id)
    return render(request, "messaging/version_review.html", _review(request, version, ReasonForm()))


def _review(request: StaffRequest, version: TemplateVersion, form: ReasonForm) -> dict[str, object]:
    decides = request.user.has_perm("messaging.approve_templateversion")
    before = (
        TemplateVersion.objects.filter(template=version.template_id, number__lt=version.number)
        .filter(state__in=[State.APPROVED, State.RETIRED])
        .order_by("-number")
        .first()
    )
    return {
        "version": version,
        "template": version.template,
        "before": before,
        "diff": word_diff(before.body, version.body) if before else [],
        "shown": preview(version.body, version.samples, version.purpose),
        "checks": checks(version),
        "own": wrote(version, request.user),
        "open": version.state == State.IN_REVIEW,
        "decides": decides,
        "form": form,
        "campaigns": list(approval.campaigns_using(version.template)),
        "reviews": list(version.reviews.select_related("reviewer")),
    }


@require_POST
@staff_required("messaging.approve_templateversion")
def version_approve(request: StaffRequest, public_id: str) -> HttpResponse:
    version = _get(public_id)
    if attempt(request, approval.approve_version, version=version, user=request.user, now=db_now()):
        messages.success(request, approved_words(version))
        return redirect("template_detail", version.template.public_id)
    return redirect("version_review", public_id)


@require_POST
@staff_required("messaging.approve_templateversion")
def version_return(request: StaffRequest, public_id: str) -> HttpResponse:
    version = _get(public_id)
    form = ReasonForm(request.POST)
    if form.is_valid():
        attempt_form(
            form, approval.return_version,
            version=version, user=request.user, reason=form.cleaned_data["reason"], now=db_now(),
        )  # fmt: skip
    if form.errors:
        return render(request, "messaging/version_review.html", _review(request, version, form), status=422)
    return redirect("template_detail", version.template.public_id)


@staff_required("messaging.approve_templateversion")
def version_confirm(request: StaffRequest, public_id: str, connection_id: str) -> HttpResponse:
    """A person says that the provider has approved this text, too."""
    version, connection = _get(public_id), get_object_or_404(Connection, public_id=connection_id)
    page = reverse("template_detail", args=[version.template.public_id])
    form = EvidenceForm(posted(request))
    if form.is_valid():
        attempt_form(
            form, approval.confirm_at_provider,
            version=version, connection=connection, user=request.user, now=db_now(), **form.cleaned_data,
        )  # fmt: skip
        if not form.errors:
            return go(request, page)
    here = reverse("version_confirm", args=[public_id, connection_id])
    title = _("Has %(provider)s approved “%(text)s”?") % {"provider": connection, "text": version}
    words = _("The provider has no way to be asked, so a person answers for it. A refused message takes it back.")
    return ask(request, Sheet(title, _("It has"), here, page, words, form=form))


def _get(public_id: str) -> TemplateVersion:
    found = TemplateVersion.objects.select_related("template", "submitted_by", "approved_by")
    return get_object_or_404(found, public_id=public_id)

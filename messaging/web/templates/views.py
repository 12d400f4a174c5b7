"""Templates: the list, the editor with its live preview, one template's page. The decision is in reviews.py."""

from django.contrib import messages
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from contacts.models import ContactField
from messaging import approval
from messaging.audit import history
from messaging.clock import db_now
from messaging.models import Template, TemplateVersion
from messaging.text import storable
from messaging.web.frame.answers import ask, attempt, attempt_form, go, posted
from messaging.web.frame.decorators import StaffRequest, staff_required
from messaging.web.frame.paging import paginate
from messaging.web.frame.parts import Choice, Search, Sheet
from messaging.web.templates.figures import preview, standing, story
from messaging.web.templates.forms import TemplateForm

LONG_STORY = 50
STATES = [
    ("", gettext_lazy("All but retired")),
    ("approved", gettext_lazy("May be sent")),
    ("in_review", gettext_lazy("In review")),
    ("retired", gettext_lazy("Retired")),
]


@staff_required("messaging.view_template")
def template_list(request: StaffRequest) -> HttpResponse:
    words, state = storable(request.GET.get("q", "")).strip(), request.GET.get("state", "")
    found = _in_state(Template.objects.filter(name__icontains=words), state)
    page = paginate(_with_versions(found), request, "name")
    return render(
        request,
        "messaging/template_list.html",
        {
            "page": page,
            "standings": [standing(template) for template in page.rows],
            "searching": bool(words or state),
            "filters": [Search("q", _("Name"), words), Choice("state", _("Show"), state, STATES)],
        },
    )


def _in_state(found: QuerySet[Template], state: str) -> QuerySet[Template]:
    if state == "retired":
        return found.exclude(retired_at=None)
    found = found.filter(retired_at=None)
    if state not in ("approved", "in_review"):
        return found
    return found.filter(Exists(TemplateVersion.objects.filter(template=OuterRef("pk"), state=state)))


def _with_versions(found: QuerySet[Template]) -> QuerySet[Template]:
    return found.prefetch_related("versions__provider_approvals__connection")


@staff_required("messaging.view_template")
def template_detail(request: StaffRequest, public_id: str) -> HttpResponse:
    template = get_object_or_404(_with_versions(Template.objects.all()), public_id=public_id)
    now = standing(template)
    approvals = now.approved.provider_approvals.all() if now.approved else []
    return render(
        request,
        "messaging/template_detail.html",
        {
            "template": template,
            "standing": now,
            "changed": not now.latest or now.latest.body != template.body or now.latest.state == "returned",
            "preview": preview(template.body, template.samples, template.purpose),
            "approvals": sorted(approvals, key=lambda one: one.connection.name),
            "asking": any(one.state == one.State.PENDING and one.connection.kind == "sandbox" for one in approvals),
            "story": story(history(template))[:LONG_STORY],
            "campaigns": approval.campaigns_using(template).order_by("-pk")[:LONG_STORY],
        },
    )


@staff_required("messaging.add_template")
def template_new(request: StaffRequest) -> HttpResponse:
    return _editor(request, None)


@staff_required("messaging.change_template")
def template_edit(request: StaffRequest, public_id: str) -> HttpResponse:
    return _editor(request, get_object_or_404(Template, public_id=public_id))


def _editor(request: StaffRequest, template: Template | None) -> HttpResponse:
    form = TemplateForm(posted(request), template=template, asking="submit" in request.POST)
    if form.is_valid():
        saved = attempt_form(
            form, approval.save_template, template=template, user=request.user, now=db_now(), **form.draft
        )
        if saved:
            return _after_saving(request, saved)
    context = {
        "form": form,
        "template": template,
        "preview": preview(str(form["body"].value() or ""), form.samples, str(form["purpose"].value() or "")),
        "known": [("name", _("Name")), ("msisdn", _("Number")), *ContactField.objects.values_list("key", "label")],
    }
    return render(request, "messaging/template_form.html", context, status=422 if form.errors else 200)


def _after_saving(request: StaffRequest, saved: Template) -> HttpResponse:
    messages.success(request, _("Saved."))
    if "submit" in request.POST:
        _submit(request, saved)
    return redirect("template_detail", saved.public_id)


@require_POST
@staff_required("messaging.add_template")
def template_preview(request: StaffRequest) -> HttpResponse:
    """The phone, the parts and the problems while somebody types; boxes for samples if the placeholders changed."""
    form = TemplateForm(request.POST)
    seen = preview(request.POST.get("body", ""), form.samples, request.POST.get("purpose", ""))
    known = {name for name in request.POST if name.startswith("sample_")}
    context = {"form": form, "preview": seen, "new_samples": known != {f"sample_{name}" for name in seen.names}}
    return render(request, "messaging/_template_preview.html", context)


@require_POST
@staff_required("messaging.change_template")
def template_submit(request: StaffRequest, public_id: str) -> HttpResponse:
    template = get_object_or_404(Template, public_id=public_id)
    if preview(template.body, template.samples, template.purpose).ready or template.retired_at:
        _submit(request, template)
    else:
        messages.error(request, _("Not asked yet: below you see what it lacks."))
    return redirect("template_detail", public_id)


def _submit(request: StaffRequest, template: Template) -> None:
    done = _("Approvers are asked. From now on this version's text never changes.")
    attempt(request, approval.submit_template, done=done, template=template, user=request.user, now=db_now())


@staff_required("messaging.change_template")
def template_retire(request: StaffRequest, public_id: str) -> HttpResponse:
    template = get_object_or_404(Template, public_id=public_id)
    page = reverse("template_detail", args=[public_id])
    if request.method == "POST":
        done = _("Retired. Its versions stay readable for ever.")
        attempt(request, approval.retire_template, done=done, template=template, user=request.user, now=db_now())
        return go(request, page)
    stopped = [campaign.name for campaign in approval.campaigns_using(template)]
    words = _("Nothing goes out with this text any more.")
    if stopped:
        one = _("One campaign still names it and loses its template: %s.")
        several = _("These campaigns still name it and lose their template: %s.")
        words += " " + (one if len(stopped) == 1 else several) % ", ".join(stopped)
    here = reverse("template_retire", args=[public_id])
    return ask(request, Sheet(_("Retire “%s”?") % template, _("Retire"), here, page, words, danger=True))

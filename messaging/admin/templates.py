from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.admin import History
from messaging.admin.acts import CONFIRMED, Seen, ask, each, person
from messaging.approval import approve_version, return_version
from messaging.clock import db_now
from messaging.models import ProviderApproval, Template, TemplateReview, TemplateVersion


@admin.register(Template)
class TemplateAdmin(History):
    """Drafts are written on the templates' own screen, where everyone who writes becomes an editor."""

    list_display = ["name", "language", "purpose", "updated_at", "retired_at"]
    list_filter = ["language", "purpose"]
    search_fields = ["name"]


@admin.register(TemplateVersion)
class TemplateVersionAdmin(History):
    list_display = ["template", "number", "language", "state", "submitted_by", "submitted_at", "approved_by"]
    list_filter = ["state", "language", "purpose"]
    list_select_related = ["template", "submitted_by", "approved_by"]
    search_fields = ["template__name"]
    actions = ["approve", "send_back"]

    @admin.action(description=gettext_lazy("Approve"), permissions=["approve"])
    def approve(self, request: HttpRequest, versions: QuerySet[TemplateVersion]) -> TemplateResponse | None:
        if CONFIRMED not in request.POST:
            return ask(self, request, map(_seen, versions), title=_("Approve"))
        now = db_now()
        each(
            request,
            versions,
            lambda version: approve_version(version=version, user=person(request), now=now),
            _("approved"),
        )
        return None

    @admin.action(description=gettext_lazy("Return with a reason"), permissions=["approve"])
    def send_back(self, request: HttpRequest, versions: QuerySet[TemplateVersion]) -> TemplateResponse | None:
        if CONFIRMED not in request.POST:
            return ask(self, request, map(_seen, versions), title=_("Return with a reason"), needs_reason=True)
        now, reason = db_now(), request.POST.get("reason", "")
        each(
            request,
            versions,
            lambda version: return_version(version=version, user=person(request), reason=reason, now=now),
            _("returned"),
        )
        return None

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("messaging.approve_templateversion")


def _seen(version: TemplateVersion) -> Seen:
    return Seen(version, [version.body])


@admin.register(TemplateReview)
class TemplateReviewAdmin(History):
    list_display = ["version", "decision", "reviewer", "reason", "at"]
    list_filter = ["decision"]
    list_select_related = ["version__template", "reviewer"]


@admin.register(ProviderApproval)
class ProviderApprovalAdmin(History):
    list_display = ["version", "connection", "state", "evidence", "at"]
    list_filter = ["state", "connection"]
    list_select_related = ["version__template", "connection"]

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from contacts.admin import History
from messaging.admin.acts import CONFIRMED, Seen, ask, each, mark_seen, person
from messaging.approval import approve_campaign, return_campaign
from messaging.clock import db_now
from messaging.models import Campaign, CampaignAudience
from messaging.reports import tally


class AudienceInline(admin.TabularInline):
    model = CampaignAudience
    fields = ["contact_list", "excluded"]
    readonly_fields = ["contact_list", "excluded"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Campaign | None = None) -> bool:
        return False


@admin.register(Campaign)
class CampaignAdmin(History):
    list_display = ["name", "connection", "state", "purpose", "submitted_by", "approved_by", "launched_at"]
    list_filter = ["state", "purpose", "connection"]
    list_select_related = ["connection", "submitted_by", "approved_by"]
    search_fields = ["name"]
    inlines = [AudienceInline]
    actions = ["approve", "send_back"]

    @admin.action(description=gettext_lazy("Approve"), permissions=["approve"])
    def approve(self, request: HttpRequest, campaigns: QuerySet[Campaign]) -> TemplateResponse | None:
        if CONFIRMED not in request.POST:
            return ask(self, request, map(_seen, campaigns), title=_("Approve"))
        now = db_now()
        each(
            request,
            campaigns,
            lambda campaign: approve_campaign(
                campaign=campaign, user=person(request), plan_hash=mark_seen(request, campaign), now=now
            ),
            _("approved"),
        )
        return None

    @admin.action(description=gettext_lazy("Return with a reason"), permissions=["approve"])
    def send_back(self, request: HttpRequest, campaigns: QuerySet[Campaign]) -> TemplateResponse | None:
        if CONFIRMED not in request.POST:
            return ask(self, request, map(_seen, campaigns), title=_("Return with a reason"), needs_reason=True)
        now, reason = db_now(), request.POST.get("reason", "")
        each(
            request,
            campaigns,
            lambda campaign: return_campaign(campaign=campaign, user=person(request), reason=reason, now=now),
            _("returned"),
        )
        return None

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("messaging.approve_campaign")


def _seen(campaign: Campaign) -> Seen:
    """Its texts and its flight plan; the mark is the plan's hash."""
    version = campaign.template_version
    texts = [campaign.session_text, version.body if version else "", campaign.sms_text]
    counts = [f"{count.people} {count.lane} ({count.reason})" for count in tally(campaign).planned]
    return Seen(campaign, [text for text in texts if text] + counts, campaign.plan_hash)

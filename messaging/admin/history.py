from contextlib import suppress

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from contacts.admin import History
from contacts.models import Contact
from contacts.numbers import BadNumber, parse_msisdn
from messaging.admin.tables import LongHistory
from messaging.models import (
    AudienceRemoval,
    AuditEvent,
    Conversation,
    ConversationEvent,
    DeliveryNotice,
    InboundRaw,
    Incident,
    Message,
    ProviderRequest,
    RequestRecipient,
)

SHOWN_BYTES = 4096


@admin.register(Message)
class MessageAdmin(LongHistory):
    list_display = ["timeline_at", "direction", "send_state", "delivery_state", "contact", "campaign", "lane", "reason"]
    list_filter = ["direction", "send_state", "delivery_state", "lane", "connection"]
    list_select_related = ["contact", "campaign"]
    found_by = _("search for a whole number, or for the sender's own reference")
    search_fields = ["contact", "reference"]  # get_search_results looks them up
    raw_id_fields = ["contact", "campaign", "test_of", "fallback_of", "author", "template_version", "answers", "raw"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Message], search_term: str
    ) -> tuple[QuerySet[Message], bool]:
        """By indexes alone: a number spelled in any way, or a reference to the letter."""
        words = search_term.strip()
        if not words:
            return queryset, False
        found = Q(reference=words)
        with suppress(BadNumber):
            found |= Q(
                contact__in=list(Contact.objects.filter(msisdn=parse_msisdn(words)).values_list("pk", flat=True))
            )
        return queryset.filter(found), False


class RecipientInline(admin.TabularInline):
    model = RequestRecipient
    fields = ["position", "message", "outcome", "resolved_by", "resolved_at", "judge", "superseded_at"]
    ordering = ["position"]
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: ProviderRequest | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ProviderRequest | None = None) -> bool:
        return False


@admin.register(ProviderRequest)
class ProviderRequestAdmin(LongHistory):
    list_display = ["started_at", "connection", "channel", "lane", "outcome", "http_status", "code", "ref", "error"]
    list_filter = ["outcome", "channel", "connection"]
    list_select_related = ["connection"]
    search_fields = ["=ref"]
    exclude = ["token"]
    inlines = [RecipientInline]


@admin.register(RequestRecipient)
class RequestRecipientAdmin(LongHistory):
    list_display = ["request", "position", "message", "outcome", "resolved_by", "resolved_at"]
    list_filter = ["outcome", "resolved_by"]
    list_select_related = ["request", "message"]
    raw_id_fields = ["request", "message", "judge"]


@admin.register(InboundRaw)
class InboundRawAdmin(LongHistory):
    list_display = ["received_at", "connection", "kind", "method", "peer", "truncated", "digested_at", "problem"]
    list_filter = ["kind", "truncated", "connection"]
    list_select_related = ["connection"]
    readonly_fields = ["shown_query", "shown_body"]

    @admin.display(description="query")
    def shown_query(self, raw: InboundRaw) -> str:
        return bytes(raw.query[:SHOWN_BYTES]).decode("utf-8", "backslashreplace")

    @admin.display(description="body")
    def shown_body(self, raw: InboundRaw) -> str:
        return bytes(raw.body[:SHOWN_BYTES]).decode("utf-8", "backslashreplace")


@admin.register(DeliveryNotice)
class DeliveryNoticeAdmin(LongHistory):
    list_display = ["received_at", "connection", "status", "error_code", "msisdn", "msgid", "state", "flag"]
    list_filter = ["state", "connection"]
    list_select_related = ["connection"]
    search_fields = ["=msisdn", "=msgid"]
    raw_id_fields = ["raw", "recipient"]


@admin.register(AuditEvent)
class AuditEventAdmin(LongHistory):
    list_display = ["at", "actor", "act", "subject_type", "subject_id"]
    list_filter = ["subject_type"]
    list_select_related = ["actor"]
    search_fields = ["act", "=actor__username"]


@admin.register(Conversation)
class ConversationAdmin(LongHistory):
    list_display = ["last_message_at", "contact", "connection", "channel", "last_mo_at", "unread", "owner"]
    list_filter = ["channel", "connection"]
    list_select_related = ["contact", "connection", "owner"]
    search_fields = ["=contact__msisdn"]
    raw_id_fields = ["contact", "owner"]


@admin.register(ConversationEvent)
class ConversationEventAdmin(LongHistory):
    list_display = ["at", "contact", "kind", "text", "actor"]
    list_filter = ["kind"]
    list_select_related = ["contact", "actor"]
    raw_id_fields = ["contact", "conversation", "actor"]


@admin.register(AudienceRemoval)
class AudienceRemovalAdmin(LongHistory):
    list_display = ["campaign", "contact", "contact_list", "reason", "because_of"]
    list_filter = ["reason"]
    list_select_related = ["campaign", "contact", "contact_list", "because_of"]
    raw_id_fields = ["campaign", "contact", "contact_list", "because_of"]


@admin.register(Incident)
class IncidentAdmin(History):
    list_display = ["opened_at", "connection", "campaign", "kind", "code", "closed_at", "closed_by"]
    list_filter = ["kind", "connection"]
    list_select_related = ["connection", "campaign", "closed_by"]

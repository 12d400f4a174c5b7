from django.contrib import admin

from contacts.admin import History
from messaging.admin.tables import LongHistory
from messaging.models import (
    ApiClient,
    ApiKey,
    ApiQuota,
    DoorCall,
    DoorClient,
    DoorKey,
    DoorRecipient,
    IdempotencyKey,
    OutboxEvent,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookSecret,
)


@admin.register(ApiClient)
class ApiClientAdmin(History):
    """Clients, keys and endpoints are made and ended under Developers, which shows a secret once."""

    list_display = ["name", "owner", "live", "scopes", "rate_per_minute", "created_at", "disabled_at"]
    list_filter = ["live"]
    list_select_related = ["owner"]
    search_fields = ["name"]


@admin.register(ApiKey)
class ApiKeyAdmin(History):
    list_display = ["prefix", "client", "created_at", "expires_at", "last_used_at", "revoked_at"]
    list_select_related = ["client"]
    search_fields = ["=prefix"]
    exclude = ["digest"]


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(LongHistory):
    """That a call was answered, and when; not what it was answered."""

    list_display = ["created_at", "client", "status"]
    list_select_related = ["client"]
    exclude = ["digest", "fingerprint", "body"]


@admin.register(ApiQuota)
class ApiQuotaAdmin(History):
    list_display = ["client", "minute_at", "used"]
    list_select_related = ["client"]


@admin.register(DoorClient)
class DoorClientAdmin(History):
    list_display = ["name", "owner", "connection", "mode", "purpose", "created_at", "disabled_at"]
    list_filter = ["mode", "connection"]
    list_select_related = ["owner", "connection"]
    search_fields = ["name"]


@admin.register(DoorKey)
class DoorKeyAdmin(History):
    list_display = ["app_key", "client", "created_at", "last_used_at", "revoked_at"]
    list_select_related = ["client"]
    search_fields = ["=app_key"]
    exclude = ["digest"]


@admin.register(DoorCall)
class DoorCallAdmin(LongHistory):
    list_display = ["at", "client", "ref", "to", "would_be"]
    list_filter = ["client"]
    list_select_related = ["client"]
    search_fields = ["=ref"]
    exclude = ["fingerprint"]


@admin.register(DoorRecipient)
class DoorRecipientAdmin(LongHistory):
    list_display = ["call", "position", "message"]
    list_select_related = ["call", "message"]
    raw_id_fields = ["call", "message"]


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(History):
    list_display = ["url", "owner", "format", "state", "failing_since", "paused_because", "created_at"]
    list_filter = ["state", "format"]
    list_select_related = ["owner"]
    search_fields = ["url", "description"]


@admin.register(WebhookSecret)
class WebhookSecretAdmin(History):
    """When secrets were made and end; nothing of the secret itself."""

    list_display = ["endpoint", "created_at", "expires_at"]
    list_select_related = ["endpoint"]
    exclude = ["secret"]


@admin.register(OutboxEvent)
class OutboxEventAdmin(LongHistory):
    list_display = ["at", "type", "public_id", "seq"]
    list_filter = ["type"]
    raw_id_fields = ["message", "contact"]


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(LongHistory):
    list_display = ["public_id", "endpoint", "event", "state", "tries", "next_at", "delivered_at"]
    list_filter = ["state", "endpoint"]
    list_select_related = ["endpoint", "event"]
    exclude = ["lease_token"]
    raw_id_fields = ["event"]


@admin.register(WebhookAttempt)
class WebhookAttemptAdmin(LongHistory):
    list_display = ["at", "delivery", "status", "error", "ms"]
    list_select_related = ["delivery"]
    raw_id_fields = ["delivery"]

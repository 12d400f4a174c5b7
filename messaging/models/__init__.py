from messaging.models.audit import AuditEvent
from messaging.models.campaign import AudienceRemoval, Campaign, CampaignAudience
from messaging.models.client import ApiClient, ApiKey, ApiQuota, IdempotencyKey, Scope
from messaging.models.connection import Connection, ConnectionPace, HookToken, Incident
from messaging.models.conversation import Conversation, ConversationEvent
from messaging.models.database import Birthmark, KnownDatabase
from messaging.models.door import DoorCall, DoorClient, DoorKey, DoorRecipient
from messaging.models.heartbeat import Heartbeat
from messaging.models.inbound import DeliveryNotice, InboundRaw
from messaging.models.message import Message
from messaging.models.request import Outcome, ProviderRequest, RequestRecipient, ResolvedBy
from messaging.models.template import ProviderApproval, Template, TemplateReview, TemplateVersion
from messaging.models.webhook import (
    EventType,
    OutboxEvent,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookSecret,
)

__all__ = [
    "ApiClient",
    "ApiKey",
    "ApiQuota",
    "AudienceRemoval",
    "AuditEvent",
    "Birthmark",
    "Campaign",
    "CampaignAudience",
    "Connection",
    "ConnectionPace",
    "Conversation",
    "ConversationEvent",
    "DeliveryNotice",
    "DoorCall",
    "DoorClient",
    "DoorKey",
    "DoorRecipient",
    "EventType",
    "Heartbeat",
    "HookToken",
    "IdempotencyKey",
    "InboundRaw",
    "Incident",
    "KnownDatabase",
    "Message",
    "OutboxEvent",
    "Outcome",
    "ProviderApproval",
    "ProviderRequest",
    "RequestRecipient",
    "ResolvedBy",
    "Scope",
    "Template",
    "TemplateReview",
    "TemplateVersion",
    "WebhookAttempt",
    "WebhookDelivery",
    "WebhookEndpoint",
    "WebhookSecret",
]

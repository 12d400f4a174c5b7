from messaging.models.audit import AuditEvent
from messaging.models.campaign import AudienceRemoval, Campaign, CampaignAudience
from messaging.models.connection import Connection, ConnectionPace, HookToken, Incident
from messaging.models.conversation import Conversation, ConversationEvent
from messaging.models.inbound import DeliveryNotice, InboundRaw
from messaging.models.message import Message
from messaging.models.request import Outcome, ProviderRequest, RequestRecipient, ResolvedBy
from messaging.models.template import ProviderApproval, Template, TemplateReview, TemplateVersion

__all__ = [
    "AudienceRemoval",
    "AuditEvent",
    "Campaign",
    "CampaignAudience",
    "Connection",
    "ConnectionPace",
    "Conversation",
    "ConversationEvent",
    "DeliveryNotice",
    "HookToken",
    "InboundRaw",
    "Incident",
    "Message",
    "Outcome",
    "ProviderApproval",
    "ProviderRequest",
    "RequestRecipient",
    "ResolvedBy",
    "Template",
    "TemplateReview",
    "TemplateVersion",
]

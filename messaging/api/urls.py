from django.urls import URLPattern, URLResolver, include, path

from messaging.api import campaign_people, campaigns, contacts, conversations, lists, messages, templates, webhooks

CAMPAIGN: list[URLPattern | URLResolver] = [
    path("plan", campaign_people.Plan.as_view()),
    path("recipients", campaign_people.Recipients.as_view()),
    path("recipients/stream", campaign_people.RecipientStream.as_view()),
    path("submit", campaigns.Submit.as_view()),
    path("launch", campaigns.Launch.as_view()),
    path("pause", campaigns.Pause.as_view()),
    path("resume", campaigns.Resume.as_view()),
    path("cancel", campaigns.Cancel.as_view()),
]
ENDPOINT: list[URLPattern | URLResolver] = [
    path("pause", webhooks.PauseEndpoint.as_view()),
    path("resume", webhooks.ResumeEndpoint.as_view()),
    path("secret", webhooks.EndpointSecret.as_view()),
    path("deliveries", webhooks.Deliveries.as_view()),
    path("deliveries/replay", webhooks.DeliveriesReplay.as_view()),
    path("deliveries/<uuid:delivery_id>/replay", webhooks.DeliveryReplay.as_view()),
]
V1: list[URLPattern | URLResolver] = [
    path("messages", messages.Messages.as_view()),
    path("messages/<uuid:message_id>", messages.MessageDetail.as_view()),
    path("contacts", contacts.Contacts.as_view()),
    path("contacts/bulk", contacts.BulkContacts.as_view()),
    path("contacts/<uuid:contact_id>", contacts.ContactDetail.as_view()),
    path("lists", lists.Lists.as_view()),
    path("lists/<uuid:list_id>", lists.ListDetail.as_view()),
    path("lists/<uuid:list_id>/members", lists.ListMembers.as_view()),
    path("lists/<uuid:list_id>/members/<uuid:contact_id>", lists.ListMember.as_view()),
    path("templates", templates.Templates.as_view()),
    path("templates/<uuid:template_id>", templates.TemplateDetail.as_view()),
    path("templates/<uuid:template_id>/submit", templates.TemplateSubmission.as_view()),
    path("campaigns", campaigns.Campaigns.as_view()),
    path("campaigns/<uuid:campaign_id>", campaigns.CampaignDetail.as_view()),
    path("campaigns/<uuid:campaign_id>/", include(CAMPAIGN)),
    path("conversations", conversations.Conversations.as_view()),
    path("conversations/<uuid:conversation_id>", conversations.ConversationDetail.as_view()),
    path("conversations/<uuid:conversation_id>/timeline", conversations.Timeline.as_view()),
    path("webhook-endpoints", webhooks.WebhookEndpoints.as_view()),
    path("webhook-endpoints/<uuid:endpoint_id>", webhooks.WebhookEndpointDetail.as_view()),
    path("webhook-endpoints/<uuid:endpoint_id>/", include(ENDPOINT)),
    path("balance", conversations.Balance.as_view()),
]
urlpatterns = [path("api/v1/", include(V1))]

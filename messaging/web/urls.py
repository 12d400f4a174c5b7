from django.urls import include, path

from messaging.web import dashboard, health
from messaging.web.frame import styleguide

urlpatterns = [
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics_page, name="metrics"),
    path("", dashboard.dashboard, name="dashboard"),
    path("dashboard/running/", dashboard.running, name="dashboard_running"),
    path("styleguide/", styleguide.styleguide, name="styleguide"),
    path("contacts/", include("messaging.web.contacts.urls")),
    path("templates/", include("messaging.web.templates.urls")),
    path("connections/", include("messaging.web.connections.urls")),
    path("campaigns/", include("messaging.web.campaigns.urls")),
    path("conversations/", include("messaging.web.conversations.urls")),
    path("developers/", include("messaging.web.developers.urls")),
    path("unknowns/", include("messaging.web.unknowns.urls")),
]

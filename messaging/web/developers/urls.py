from django.urls import path

from messaging.web.developers import clients, doors, endpoints, log, views

urlpatterns = [
    path("", views.developers, name="developers"),
    path("examples/", views.developer_examples, name="developer_examples"),
    path("api/new/", clients.api_client_new, name="api_client_new"),
    path("api/<uuid:public_id>/", clients.api_client_detail, name="api_client_detail"),
    path("api/<uuid:public_id>/edit/", clients.api_client_edit, name="api_client_edit"),
    path("api/<uuid:public_id>/key/", clients.api_client_key, name="api_client_key"),
    path("api/<uuid:public_id>/keys/<int:pk>/revoke/", clients.api_key_revoke, name="api_key_revoke"),
    path("api/<uuid:public_id>/owner/", clients.api_client_take_over, name="api_client_take_over"),
    path("api/<uuid:public_id>/disable/", clients.api_client_disable, name="api_client_disable"),
    path("api/<uuid:public_id>/enable/", clients.api_client_enable, name="api_client_enable"),
    path("door/new/", doors.door_client_new, name="door_client_new"),
    path("door/<uuid:public_id>/", doors.door_client_detail, name="door_client_detail"),
    path("door/<uuid:public_id>/edit/", doors.door_client_edit, name="door_client_edit"),
    path("door/<uuid:public_id>/pair/", doors.door_client_pair, name="door_client_pair"),
    path("door/<uuid:public_id>/keys/<int:pk>/revoke/", doors.door_key_revoke, name="door_key_revoke"),
    path("door/<uuid:public_id>/disable/", doors.door_client_disable, name="door_client_disable"),
    path("door/<uuid:public_id>/enable/", doors.door_client_enable, name="door_client_enable"),
    path("webhooks/new/", endpoints.webhook_new, name="webhook_new"),
    path("webhooks/<uuid:public_id>/", endpoints.webhook_detail, name="webhook_detail"),
    path("webhooks/<uuid:public_id>/edit/", endpoints.webhook_edit, name="webhook_edit"),
    path("webhooks/<uuid:public_id>/secret/", endpoints.webhook_secret, name="webhook_secret"),
    path("webhooks/<uuid:public_id>/pause/", endpoints.webhook_pause, name="webhook_pause"),
    path("webhooks/<uuid:public_id>/resume/", endpoints.webhook_resume, name="webhook_resume"),
    path("webhooks/<uuid:public_id>/disable/", endpoints.webhook_disable, name="webhook_disable"),
    path("webhooks/<uuid:public_id>/replay/", log.webhook_replay, name="webhook_replay"),
    path("deliveries/<uuid:public_id>/", log.delivery_detail, name="delivery_detail"),
    path("deliveries/<uuid:public_id>/replay/", log.delivery_replay, name="delivery_replay"),
]

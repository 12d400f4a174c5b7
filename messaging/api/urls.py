from django.urls import path

from messaging.api.messages import MessageDetail, Messages

urlpatterns = [
    path("api/v1/messages", Messages.as_view()),
    path("api/v1/messages/<uuid:message_id>", MessageDetail.as_view()),
]

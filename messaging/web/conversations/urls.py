from django.urls import path

from messaging.web.conversations import acts, message, views

urlpatterns = [
    path("", views.conversation_list, name="conversation_list"),
    path("messages/<uuid:public_id>/", message.message_detail, name="message_detail"),
    path("<uuid:public_id>/", views.conversation_detail, name="conversation_detail"),
    path("<uuid:public_id>/live/", views.conversation_live, name="conversation_live"),
    path("<uuid:public_id>/reply/", acts.conversation_reply, name="conversation_reply"),
    path("<uuid:public_id>/template/", acts.conversation_template, name="conversation_template"),
    path("<uuid:public_id>/parts/", acts.conversation_parts, name="conversation_parts"),
    path("<uuid:public_id>/note/", acts.conversation_note, name="conversation_note"),
    path("<uuid:public_id>/assign/", acts.conversation_assign, name="conversation_assign"),
    path("<uuid:public_id>/settle/", acts.conversation_settle, name="conversation_settle"),
    path("<uuid:public_id>/stop/", acts.conversation_stop, name="conversation_stop"),
    path("<uuid:public_id>/no-stop/", acts.conversation_no_stop, name="conversation_no_stop"),
]

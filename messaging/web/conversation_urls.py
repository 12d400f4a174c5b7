from django.urls import path

from messaging.web import conversation_acts, conversations, message_page

urlpatterns = [
    path("", conversations.conversation_list, name="conversation_list"),
    path("messages/<uuid:public_id>/", message_page.message_detail, name="message_detail"),
    path("<uuid:public_id>/", conversations.conversation_detail, name="conversation_detail"),
    path("<uuid:public_id>/live/", conversations.conversation_live, name="conversation_live"),
    path("<uuid:public_id>/reply/", conversation_acts.conversation_reply, name="conversation_reply"),
    path("<uuid:public_id>/template/", conversation_acts.conversation_template, name="conversation_template"),
    path("<uuid:public_id>/note/", conversation_acts.conversation_note, name="conversation_note"),
    path("<uuid:public_id>/assign/", conversation_acts.conversation_assign, name="conversation_assign"),
    path("<uuid:public_id>/stop/", conversation_acts.conversation_stop, name="conversation_stop"),
    path("<uuid:public_id>/no-stop/", conversation_acts.conversation_no_stop, name="conversation_no_stop"),
]

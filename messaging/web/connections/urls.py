from django.urls import path

from messaging.web.connections import views

urlpatterns = [
    path("", views.connection_list, name="connection_list"),
    path("codes/", views.connection_codes, name="connection_codes"),
    path("new/", views.connection_new, name="connection_new"),
    path("<uuid:public_id>/", views.connection_detail, name="connection_detail"),
    path("<uuid:public_id>/edit/", views.connection_edit, name="connection_edit"),
    path("<uuid:public_id>/test/", views.connection_test, name="connection_test"),
    path("<uuid:public_id>/rotate/", views.connection_rotate, name="connection_rotate"),
    path("<uuid:public_id>/pause/", views.connection_pause, name="connection_pause"),
    path("<uuid:public_id>/resume/", views.connection_resume, name="connection_resume"),
    path("<uuid:public_id>/thaw/", views.connection_thaw, name="connection_thaw"),
    path("incidents/<int:pk>/close/", views.incident_close, name="incident_close"),
]

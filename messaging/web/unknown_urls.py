from django.urls import path

from messaging.web import unknowns

urlpatterns = [
    path("", unknowns.unknown_list, name="unknown_list"),
    path("<uuid:public_id>/<slug:act>/", unknowns.unknown_act, name="unknown_act"),
]

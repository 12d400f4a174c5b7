from django.urls import path

from messaging.web import stuck, unknowns

urlpatterns = [
    path("", unknowns.unknown_list, name="unknown_list"),
    path("stuck/<uuid:public_id>/<slug:act>/", stuck.stuck_act, name="stuck_act"),
    path("<uuid:public_id>/<slug:act>/", unknowns.unknown_act, name="unknown_act"),
]

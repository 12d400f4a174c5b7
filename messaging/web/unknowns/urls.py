from django.urls import path

from messaging.web.unknowns import stuck, views

urlpatterns = [
    path("", views.unknown_list, name="unknown_list"),
    path("stuck/<uuid:public_id>/<slug:act>/", stuck.stuck_act, name="stuck_act"),
    path("<uuid:public_id>/<slug:act>/", views.unknown_act, name="unknown_act"),
]

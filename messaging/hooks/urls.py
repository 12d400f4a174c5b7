from django.urls import path

from messaging.hooks.views import DnHook, MoHook

urlpatterns = [
    path("hooks/<str:token>/dn", DnHook.as_view(), name="hook_dn"),
    path("hooks/<str:token>/mo", MoHook.as_view(), name="hook_mo"),
]

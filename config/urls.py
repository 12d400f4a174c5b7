from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

admin.site.login = secure_admin_login(admin.site.login)  # one way to sign in, with its limits and second factor  # type: ignore[method-assign]  # as allauth documents it

urlpatterns = [
    path("", include("messaging.web.urls")),
    path("", include("messaging.hooks.urls")),
    path("", include("messaging.api.urls")),
    path("accounts/", include("config.account_urls")),
    path("api/schema/", SpectacularAPIView.as_view(), name="api_schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="api_schema"), name="api_docs"),
    path("admin/", admin.site.urls),
]

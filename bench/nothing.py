"""The baseline of the doors: the product's server with one more URL, a DRF view that parses JSON and does nothing."""

from django.conf import settings
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.urls import urlpatterns as ours
from config.wsgi import application

__all__ = ["application", "urlpatterns"]


class Nothing(APIView):
    authentication_classes = permission_classes = ()

    def post(self, request: Request) -> Response:
        return Response({"read": len(request.data)}, status=202)


settings.ROOT_URLCONF = __name__
urlpatterns = [path("bench/nothing", Nothing.as_view()), *ours]

"""The baseline of the doors: the product's URLs and one more, a DRF view that reads JSON and does nothing."""

from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from config.urls import urlpatterns as ours


class Nothing(APIView):
    authentication_classes = permission_classes = ()

    def post(self, request: Request) -> Response:
        return Response({"read": len(request.data)}, status=202)


urlpatterns = [path("bench/nothing", Nothing.as_view()), *ours]

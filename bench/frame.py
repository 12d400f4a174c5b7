"""The baseline of the pages: the product's URLs and one more, that draws the frame around nothing."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from config.urls import urlpatterns as ours
from messaging.web.frame.decorators import staff_required

FRAME = "/bench/frame/"


@staff_required()
def frame(request: HttpRequest) -> HttpResponse:
    return render(request, "base.html")


urlpatterns = [path(FRAME.lstrip("/"), frame), *ours]

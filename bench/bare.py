"""The baseline of every door: `OK` at once, from the same server, before any middleware of the product."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseBase

PATH = "/bench/bare"


class Bare:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.path_info == PATH:
            return HttpResponse("OK", content_type="text/plain", headers={"Content-Length": "2"})
        return self.get_response(request)

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.urls import Resolver404, resolve

from messaging.hooks.views import not_found

URLS = "messaging.hooks.urls"


class HookDoor:
    """Leads the provider's calls straight to their view: sessions, CSRF, redirects and the rest are not for them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith("/hooks/"):
            return self.get_response(request)
        try:
            view, args, kwargs = resolve(request.path_info, URLS)
        except Resolver404:
            return not_found()
        return view(request, *args, **kwargs)

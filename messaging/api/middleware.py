from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.urls import Resolver404, resolve
from django.utils import translation

from messaging.api.problems import not_found, rendered

URLS = "messaging.api.urls"


class ApiDoor:
    """Leads calls of the API straight to their view: sessions, cookies, CSRF and redirects are not for them."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith("/api/v1/"):
            return self.get_response(request)
        with translation.override(settings.LANGUAGE_CODE):  # else that of the page which this thread drew before
            try:
                view, args, kwargs = resolve(request.path_info, URLS)
            except Resolver404:
                return not_found()
            return rendered(view(request, *args, **kwargs))
